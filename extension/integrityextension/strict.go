package integrityextension

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// Unmarshal implements confmap.Unmarshaler. A server of confighttp takes misspelt
// keys without a word; here they are refused, as everywhere. What is no duration
// is said with the value and with what can be written.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	var f faults
	for _, key := range []string{"poll_interval", "full_pass_every", "behind_after"} {
		text, ok := conf.Get(key).(string)
		if _, err := time.ParseDuration(text); ok && err != nil {
			f.add(key, "%q is no duration; write hours, minutes or seconds, as in 720h, 15m or 5s", text)
			conf.Delete(key) // of the copy that is ours
		}
	}
	err := errors.Join(append(f, conf.Unmarshal(c))...)
	settings, _ := conf.Get("http").(map[string]any)
	known := keys(reflect.TypeFor[confighttp.ServerConfig]())
	var unknown []string
	for key := range settings {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		err = errors.Join(err, fmt.Errorf("http: has invalid keys: %s", strings.Join(unknown, ", ")))
	}
	return err
}

// keys are the settings that a type has.
func keys(of reflect.Type) (all []string) {
	for i := range of.NumField() {
		key, options, _ := strings.Cut(of.Field(i).Tag.Get("mapstructure"), ",")
		switch {
		case strings.Contains(options, "squash"):
			all = append(all, keys(of.Field(i).Type)...)
		case key != "" && key != "-":
			all = append(all, key)
		}
	}
	return all
}
