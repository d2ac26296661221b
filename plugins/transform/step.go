package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// op is what a step does.
type op uint8

const (
	none op = iota
	set
	add
	fallback
	remove
	rename
	duplicate
	move
)

// opNames are the keys by which a step says what it does.
var opNames = [...]string{set: "set", add: "add", fallback: "default", remove: "remove", rename: "rename", duplicate: "copy", move: "move"}

// step is one change.
type step struct {
	op           op
	name, to     string
	below        bool // all that begin with name
	path, toPath pointer
	value        template
	json         string // instead of value
}

// target is what a step changes.
type target uint8

const (
	ofHeaders target = iota
	ofParameters
	ofBody
)

// side is the message whose step it is.
type side uint8

const (
	ofRequest side = iota
	ofAnswer
)

// readSteps reads an array of steps.
func readSteps(v *config.Value, dst *[]step, what target, side side) error {
	*dst = nil
	return v.Array(func(item *config.Value) error {
		var t step
		var given givenKeys
		err := item.Object(func(key string, v *config.Value) error { return t.read(key, v, &given, side) })
		if err == nil {
			err = t.check(&given, what)
		}
		*dst = append(*dst, t)
		return err
	})
}

// givenKeys are the keys that a step has.
type givenKeys struct {
	ops              int
	value, json, aim bool
}

func (t *step) read(key string, v *config.Value, given *givenKeys, side side) (err error) {
	switch key {
	case "value":
		given.value = true
		var text string
		if err = v.String(&text); err == nil {
			t.value, err = parseTemplate(text, side)
		}
	case "json":
		given.json = true
		if err = v.String(&t.json); err == nil {
			_, err = parse(t.json)
		}
		if err != nil {
			err = errors.New("must be JSON, written in a string")
		}
	case "to":
		given.aim = true
		err = v.String(&t.to)
	default:
		for op := set; op <= move; op++ {
			if key == opNames[op] {
				t.op = op
				given.ops++
				err = v.String(&t.name)
			}
		}
	}
	return err
}

// check reports what is wrong with a step as a whole.
func (t *step) check(given *givenKeys, what target) error {
	sets := t.op == set || t.op == add || t.op == fallback
	carries := t.op == rename || t.op == duplicate || t.op == move
	switch {
	case given.ops != 1:
		return errors.New("must have one of set, add, default, remove, rename, copy and move")
	case t.op == move && what != ofBody:
		return errors.New("must not move: rename it")
	case given.json && what != ofBody:
		return errors.New("must have its value as value")
	case sets && given.value == given.json:
		return errors.New("must have a value")
	case !sets && (given.value || given.json):
		return errors.New("must have no value")
	case carries != given.aim:
		if carries {
			return errors.New("must say where to")
		}
		return errors.New("must have no to")
	}
	switch what {
	case ofHeaders:
		return t.checkHeaders()
	case ofParameters:
		return t.checkParameters()
	}
	return t.checkBody()
}

func (t *step) checkHeaders() error {
	if t.op == remove {
		t.name, t.below = strings.CutSuffix(t.name, all)
	}
	if err := checkHeader(t.name); err != nil {
		return under(opNames[t.op], err)
	}
	if t.op == rename || t.op == duplicate {
		if field.Equal(t.name, t.to) {
			return under("to", errors.New("must be another name"))
		}
		return under("to", checkHeader(t.to))
	}
	if t.op != remove && t.value.isConstant() {
		if len(t.value) == 0 || t.value[0].name != strings.TrimSpace(t.value[0].name) {
			return under("value", errors.New("must not be empty, nor begin or end with a space"))
		}
	}
	for _, p := range t.value {
		if p.from == literal && !printable(p.name) {
			return under("value", errors.New("must have no control characters"))
		}
	}
	return nil
}

func (t *step) checkParameters() error {
	if t.op == remove {
		t.name, t.below = strings.CutSuffix(t.name, all)
	}
	if t.name == "" && !t.below {
		return under(opNames[t.op], errors.New("must not be empty"))
	}
	if (t.op == rename || t.op == duplicate) && (t.to == "" || t.to == t.name) {
		return under("to", errors.New("must be another name"))
	}
	return nil
}

func (t *step) checkBody() (err error) {
	if t.path, err = parsePointer(t.name); err != nil {
		return under(opNames[t.op], err)
	}
	if t.op != duplicate && t.op != move {
		if last := t.path[len(t.path)-1]; last == all && (t.op == rename || t.op == add || t.op == fallback) {
			return under(opNames[t.op], errors.New("must not end with *"))
		}
		return nil
	}
	if t.toPath, err = parsePointer(t.to); err != nil {
		return under("to", err)
	}
	switch {
	case t.path.hasAll() || t.toPath.hasAll():
		return errors.New("must be from one place to one other, without *")
	case t.toPath.below(t.path) || t.path.below(t.toPath):
		return errors.New("must be from one place to another, neither within the other")
	}
	return nil
}

// under puts a key before what is wrong with it.
func under(key string, err error) error {
	if err == nil {
		return nil
	}
	return &config.Error{Pointer: "/" + key, Err: err}
}
