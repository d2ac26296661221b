package meter

// Producer is what took part in making a module, as its `producers` section says.
type Producer struct {
	Field         string // language, processed-by or sdk
	Name, Version string
}

// producers reads the section of that name; nil if it is missing or malformed, for a module is not refused for it.
func (m *module) producers() []Producer {
	for _, c := range m.customs {
		if c.name != "producers" {
			continue
		}
		r := m.reader("producers", span{c.from, c.to})
		var list []Producer
		for fields := r.count(2); fields > 0 && r.bad == nil; fields-- {
			field := r.name()
			for values := r.count(2); values > 0 && r.bad == nil; values-- {
				list = append(list, Producer{Field: field, Name: r.name(), Version: r.name()})
			}
		}
		if r.end(); r.bad != nil {
			return nil
		}
		return list
	}
	return nil
}
