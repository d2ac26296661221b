package main

import "strings"

// jsonStep does one step to a document. Where there is nothing that it could be done to, nothing is done.
func (s *settings) jsonStep(d *document, t *step, c context) error {
	switch t.op {
	case duplicate, move:
		return d.carry(t)
	case set, add, fallback:
		value := s.jsonValue(t, c)
		if value == "" && t.op != set {
			return nil
		}
		return d.visit(&d.root, t.path, value != "" && t.op != add, func(parent *node, token string) error {
			return d.putNode(parent, token, t.op, value)
		})
	}
	return d.visit(&d.root, t.path, false, func(parent *node, token string) error {
		return d.removeOrRename(parent, token, t)
	})
}

// jsonValue returns the text that a step sets, "" for a template of values that are not there.
func (s *settings) jsonValue(t *step, c context) string {
	if t.json != "" {
		return t.json
	}
	s.scratch = t.value.expand(s.scratch[:0], c)
	if len(s.scratch) == 0 && !t.value.isConstant() {
		return ""
	}
	return string(quote(nil, strings.ToValidUTF8(string(s.scratch), "\uFFFD")))
}

// visit calls do with each parent that the path leads to and what is named in it. It makes objects on the way if it is to.
func (d *document) visit(n *node, p pointer, make bool, do func(parent *node, token string) error) error {
	if ok, err := d.isContainer(n); !ok || err != nil {
		return err
	}
	if len(p) == 1 {
		return do(n, p[0])
	}
	if p[0] == all {
		for i := range n.items {
			if err := d.visit(&n.items[i].value, p[1:], make, do); err != nil {
				return err
			}
		}
		return nil
	}
	i := d.find(n, p[0])
	if i < 0 {
		if !make || n.kind != '{' {
			return nil
		}
		d.put(n, p[0], node{text: "{}"})
		i = len(n.items) - 1
	}
	return d.visit(&n.items[i].value, p[1:], make, do)
}

// putNode sets a value, appends it to an array, or sets it where there is none. A value that came out empty takes away what was there.
func (d *document) putNode(parent *node, token string, op op, value string) error {
	if token == all {
		for i := range parent.items {
			parent.items[i].value = node{text: value}
		}
		if value == "" {
			parent.items = parent.items[:0]
		}
		return nil
	}
	i := d.find(parent, token)
	switch {
	case op == add:
		if i < 0 {
			return nil
		}
		list := &parent.items[i].value
		if ok, err := d.isContainer(list); !ok || err != nil || list.kind != '[' {
			return err
		}
		d.put(list, "-", node{text: value})
	case value == "":
		if i >= 0 {
			parent.drop(i)
		}
	case op == set || i < 0:
		d.put(parent, token, node{text: value})
	}
	return nil
}

func (d *document) removeOrRename(parent *node, token string, t *step) error {
	if token == all {
		parent.items = parent.items[:0]
		return nil
	}
	i := d.find(parent, token)
	if i < 0 || t.op == rename && parent.kind != '{' {
		return nil
	}
	if t.op == remove {
		parent.drop(i)
		return nil
	}
	if other := d.find(parent, t.to); other >= 0 && other != i {
		parent.drop(other)
		i = d.find(parent, token)
	}
	parent.items[i].quoted = string(quote(nil, t.to))
	return nil
}

// carry copies or moves a value. Where it cannot be put, it stays.
func (d *document) carry(t *step) error {
	text := ""
	err := d.visit(&d.root, t.path, false, func(parent *node, token string) error {
		if i := d.find(parent, token); i >= 0 {
			text = string(d.write(nil, &parent.items[i].value))
		}
		return nil
	})
	if err != nil || text == "" {
		return err
	}
	put := false
	err = d.visit(&d.root, t.toPath, true, func(parent *node, token string) error {
		put = d.put(parent, token, node{text: text})
		return nil
	})
	if err != nil || !put || t.op == duplicate {
		return err
	}
	return d.visit(&d.root, t.path, false, func(parent *node, token string) error {
		parent.drop(d.find(parent, token))
		return nil
	})
}
