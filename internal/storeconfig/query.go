package storeconfig

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
)

const credentialsFrom = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile for S3, GOOGLE_APPLICATION_CREDENTIALS for Cloud Storage, AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN for Azure"

// fill reads the settings of a URL's query into a configuration. taken are those
// that the rest of the URL says.
func fill(cfg any, u *url.URL, taken ...string) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil { // Its text repeats the query.
		return errors.New("what stands behind the question mark cannot be read: write KEY=VALUE&KEY=VALUE, and % & ; in a value as %25 %26 %3B")
	}
	known := settings(reflect.TypeOf(cfg).Elem())
	tree := map[string]any{}
	var f faults
	for _, key := range sortedKeys(query) {
		switch i := slices.IndexFunc(known, func(s setting) bool { return s.matches(key) }); {
		case slices.Contains(taken, key):
			f.add(key, "stands in front of the question mark already")
		case i < 0:
			f.add(key, "no such setting; there are %s", list(known, taken))
		case known[i].secret:
			f.add(key, "a secret may not stand in an argument, which everybody on this machine can see; %s", credentialsFrom)
		case len(query[key]) > 1:
			f.add(key, "stands there %d times", len(query[key]))
		default:
			value, err := known[i].parse(query[key][0])
			if err != nil {
				f.add(key, "%w", err)
			} else {
				plant(tree, strings.Split(key, "."), value)
			}
		}
	}
	if err := f.err(); err != nil {
		return err
	}
	return confmap.NewFromStringMap(tree).Unmarshal(cfg)
}

// A setting is a key that may stand in a query.
type setting struct {
	key    string // of a map: with a dot at its end
	kind   reflect.Kind
	secret bool
}

// settings lists what a configuration has, by its mapstructure tags.
func settings(t reflect.Type) []setting {
	var all []setting
	for i := range t.NumField() {
		field := t.Field(i)
		key, typ := field.Tag.Get("mapstructure"), field.Type
		switch typ.Kind() {
		case reflect.Pointer: // A choice: the key alone, or with settings of its own.
			all = append(all, setting{key: key, kind: reflect.Pointer})
			all = append(all, below(key, settings(typ.Elem()))...)
		case reflect.Struct:
			all = append(all, below(key, settings(typ))...)
		case reflect.Map:
			all = append(all, setting{key: key + ".", kind: reflect.Map})
		default:
			all = append(all, setting{key: key, kind: typ.Kind(), secret: typ == reflect.TypeFor[configopaque.String]()})
		}
	}
	return all
}

func below(key string, inner []setting) []setting {
	for i := range inner {
		inner[i].key = key + "." + inner[i].key
	}
	return inner
}

func (s setting) matches(key string) bool {
	if s.kind == reflect.Map {
		return strings.HasPrefix(key, s.key) && key != s.key
	}
	return key == s.key
}

// parse turns the text of a query into what the setting's type wants. It does
// not repeat the text where a secret may have been put by mistake.
func (s setting) parse(text string) (any, error) {
	switch s.kind {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return nil, errors.New("must be true or false")
		}
		return text == "true", nil
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, errors.New("must be a whole number")
		}
		return n, nil
	case reflect.Pointer:
		if text != "" {
			return nil, errors.New("takes no value; write its settings behind it with a dot, or nothing")
		}
		return map[string]any{}, nil
	}
	return text, nil
}

// plant puts a value where its key says. The key of a tag may have dots.
func plant(tree map[string]any, path []string, value any) {
	if path[0] == "tags" {
		path = []string{"tags", strings.Join(path[1:], ".")}
	}
	for _, step := range path[:len(path)-1] {
		inner, ok := tree[step].(map[string]any)
		if !ok {
			inner = map[string]any{}
			tree[step] = inner
		}
		tree = inner
	}
	last := path[len(path)-1]
	if _, chosen := tree[last]; !chosen { // auth.sas beside auth.sas.…
		tree[last] = value
	}
}

// list names the settings that may stand in a query.
func list(known []setting, taken []string) string {
	var names []string
	for _, s := range known {
		switch {
		case s.secret || slices.Contains(taken, s.key):
		case s.kind == reflect.Map:
			names = append(names, s.key+"NAME")
		default:
			names = append(names, s.key)
		}
	}
	slices.Sort(names)
	return fmt.Sprint(strings.Join(names, ", "))
}
