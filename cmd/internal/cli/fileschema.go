package cli

import "strings"

// fileSchema describes config files of `brood serve`. It is made of the settings, so that it says what
// the parser does.
func fileSchema() schema {
	o := newServeOptions()
	top := schema{}
	for _, s := range o.sections() {
		if s.key == "" {
			for _, one := range s.all {
				top[one.key()] = one.inFile()
			}
			continue
		}
		section := schema{}
		for _, one := range s.all {
			section[s.fileKey(one)] = one.inFile()
		}
		top[s.key] = object(s.title, section)
	}
	pool := schema{}
	for key, one := range newPoolOptions("").byKey() {
		pool[key] = one.inFile()
	}
	poolObject := object("the workers of one plugin", pool)
	poolObject["required"] = []string{"plugin"}
	top["pools"] = schema{
		"type": "object", "description": "pools by name; each task is served by one of them",
		"minProperties": 1, "additionalProperties": poolObject,
	}
	top["tokens"] = schema{
		"type": "object", "description": "who may call the API, by a name for the log", "additionalProperties": tokenSchema(),
	}
	root := object("config file of brood serve", top)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "brood.yaml"
	root["required"] = []string{"pools"}
	return root
}

func tokenSchema() schema {
	properties := schema{}
	for _, one := range new(tokenOptions).settings() {
		properties[one.key()] = one.inFile()
	}
	s := object("a token: where it is, and what it allows", properties)
	s["required"] = []string{"role"}
	s["oneOf"] = []schema{
		{"required": []string{"file"}}, {"required": []string{"variable"}}, {"required": []string{"token"}},
	}
	return s
}

func object(description string, properties schema) schema {
	return schema{"type": "object", "description": description, "additionalProperties": false, "properties": properties}
}

// inFile describes a setting's value in a config file.
func (s setting) inFile() schema {
	out := schema{}
	if s.shape == many {
		item := schema{"type": []string{"string", "number", "boolean"}}
		ways := []schema{{"type": "array", "items": item}, item}
		if s.pairs {
			ways = append(ways, schema{"type": "object", "additionalProperties": item})
		}
		out["anyOf"] = ways
	} else {
		for k, v := range s.value.schema {
			out[k] = v
		}
	}
	_, usage := s.describe()
	out["description"] = strings.ReplaceAll(usage, "; may be repeated", "")
	return out
}
