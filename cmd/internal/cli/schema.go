package cli

// schema is a JSON schema, or a part of one.
type schema map[string]any

// types are the JSON types that a value may have.
func (s schema) types() []string {
	if any, ok := s["anyOf"].([]schema); ok {
		var all []string
		for _, one := range any {
			all = append(all, one.types()...)
		}
		return all
	}
	switch t := s["type"].(type) {
	case string:
		return []string{t}
	case []string:
		return t
	}
	return []string{"string"} // of an enum or a const
}

// durationSchema describes what parseDuration takes.
func durationSchema() schema {
	return schema{
		"type":    "string",
		"pattern": `^([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*$`,
	}
}

// sizeSchema describes what parseSize takes: a number of bytes, or a text with a unit.
func sizeSchema() schema {
	return schema{"type": []string{"string", "integer"}, "minimum": 0, "pattern": `^[0-9][0-9,]*(\.[0-9]+)? ?([kKmMgGtTpPeE]([iI]?[bB]?)|[bB])?$`}
}
