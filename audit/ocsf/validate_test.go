package ocsf_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// validate holds a rendered event against the rules and returns what breaks them.
func validate(line []byte) []string {
	v := &validator{}
	event, err := decode(line)
	if err != nil {
		return []string{err.Error()}
	}
	c := classes[number(event["class_uid"])]
	if c == nil {
		return []string{fmt.Sprintf("class_uid: no class %v", event["class_uid"])}
	}
	if metadata, ok := event["metadata"].(map[string]any); ok {
		v.profiles, _ = metadata["profiles"].([]any)
		if version := metadata["version"]; version != "1.6.0" {
			v.fault("metadata.version", "is %v", version)
		}
	}
	v.object("", c, event)
	v.classification(c, event)
	return v.faults
}

// A validator collects faults.
type validator struct {
	profiles []any
	faults   []string
}

func (v *validator) fault(path, format string, args ...any) {
	v.faults = append(v.faults, path+": "+fmt.Sprintf(format, args...))
}

// classification checks numbers and names that follow from each other.
func (v *validator) classification(c *object, event map[string]any) {
	activity := number(event["activity_id"])
	caption, ok := c.activities[activity]
	if !ok {
		v.fault("activity_id", "class %s has no %s", c.uid, activity)
	}
	for name, want := range map[string]string{
		"category_uid": c.category, "category_name": categories[c.category], "class_name": c.name,
		"type_uid": product(c.uid, activity), "type_name": c.name + ": " + caption,
	} {
		if got := fmt.Sprint(event[name]); got != want {
			v.fault(name, "is %s, want %s", got, want)
		}
	}
	if got := event["activity_name"]; activity != "99" && got != caption {
		v.fault("activity_name", "is %v, want %s", got, caption)
	}
}

func (v *validator) object(path string, o *object, members map[string]any) {
	for name, a := range o.attributes {
		if _, ok := members[name]; !ok && a.required && v.applies(a) {
			v.fault(path+name, "required and missing")
		}
	}
	for name, value := range members {
		a, ok := o.attributes[name]
		switch {
		case !ok:
			v.fault(path+name, "no such attribute")
		case !v.applies(a):
			v.fault(path+name, "belongs to the profile %s", a.profile)
		case a.list:
			v.list(path+name, a, value)
		default:
			v.value(path+name, a, value)
		}
		v.caption(path, name, members)
	}
	if n := present(o.atLeastOne, members); len(o.atLeastOne) > 0 && n == 0 {
		v.fault(path, "none of %v", o.atLeastOne)
	}
	if n := present(o.justOne, members); len(o.justOne) > 0 && n != 1 {
		v.fault(path, "%d of %v, not just one", n, o.justOne)
	}
}

func (v *validator) applies(a attribute) bool {
	return a.profile == "" || slices.Contains(v.profiles, any(a.profile))
}

func present(names []string, members map[string]any) (n int) {
	for _, name := range names {
		if _, ok := members[name]; ok {
			n++
		}
	}
	return n
}

// caption checks the name beside a number.
func (v *validator) caption(path, name string, members map[string]any) {
	want, ok := captions[name][number(members[name])]
	beside := strings.TrimSuffix(name, "_id")
	if got, there := members[beside]; ok && there && got != want {
		v.fault(path+beside, "is %v, want %s", got, want)
	}
}

func (v *validator) list(path string, a attribute, value any) {
	elements, ok := value.([]any)
	if !ok || len(elements) == 0 {
		v.fault(path, "%v is no list with something in it", value)
		return
	}
	for i, one := range elements {
		v.value(path+"["+strconv.Itoa(i)+"]", a, one)
	}
}

func (v *validator) value(path string, a attribute, value any) {
	if members, ok := value.(map[string]any); ok {
		if len(members) == 0 {
			v.fault(path, "an object without anything in it")
		}
		if o := objects[a.typ]; o != nil {
			v.object(path+".", o, members)
			return
		}
	}
	if !isOf(a.typ, value) {
		v.fault(path, "%v is no %s", value, a.typ)
	}
	if text := fmt.Sprint(value); len(a.enum) > 0 && !slices.Contains(a.enum, text) {
		v.fault(path, "%s is none of %v", text, a.enum)
	}
}

var emailForm = regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\\.[a-zA-Z0-9-.]+$")

func isOf(typ string, value any) bool {
	n, errInt := strconv.ParseInt(number(value), 10, 64)
	text, isText := value.(string)
	switch typ {
	case "int":
		return errInt == nil
	case "time":
		return errInt == nil && n >= 0
	case "port":
		return errInt == nil && n >= 0 && n <= 65535
	case "bool":
		_, ok := value.(bool)
		return ok
	case "object":
		_, ok := value.(map[string]any)
		return ok
	case "string":
		return isText && text != ""
	case "ip":
		_, err := netip.ParseAddr(text)
		return err == nil && len(text) <= 40
	case "email":
		return emailForm.MatchString(text)
	case "hash":
		_, err := hex.DecodeString(text)
		return err == nil && text != ""
	}
	return false
}

// number is a JSON number as it stands, empty for anything else.
func number(value any) string {
	n, _ := value.(json.Number)
	return n.String()
}

// decode reads one object with exact numbers. A key that occurs twice is an error.
func decode(line []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	value, err := decodeValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something behind the event")
	}
	event, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	return event, nil
}

func decodeValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := decodeValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		members := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			if _, ok := members[name]; ok {
				return nil, fmt.Errorf("%q occurs twice", name)
			}
			if members[name], err = decodeValue(d); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return members, err
	}
	return token, nil
}
