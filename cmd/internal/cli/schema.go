package cli

// schema is a JSON schema, or a part of one.
type schema map[string]any

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
