package contracttest

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func decodeObject(text []byte) (map[string]any, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a %T where an object belongs", value)
	}
	return object, nil
}

// resolve finds an object by its path and follows the reference that stands
// there, if one does. It returns the path that was reached.
func (c *Contract) resolve(pointer []string) ([]string, map[string]any, error) {
	object := c.document
	for i, key := range pointer {
		next, ok := object[key].(map[string]any)
		if !ok {
			return nil, nil, fmt.Errorf("the contract has nothing at %s", strings.Join(pointer[:i+1], " > "))
		}
		object = next
	}
	if ref, ok := object["$ref"].(string); ok {
		return c.resolve(refPointer(ref))
	}
	return pointer, object, nil
}

// follow returns what a reference refers to, or an object that is none as it is.
func (c *Contract) follow(object map[string]any) (map[string]any, error) {
	ref, ok := object["$ref"].(string)
	if !ok {
		return object, nil
	}
	_, target, err := c.resolve(refPointer(ref))
	return target, err
}

// refPointer splits a reference such as #/components/schemas/Plan; the names of
// components need no escaping.
func refPointer(ref string) []string {
	return strings.Split(strings.TrimPrefix(ref, "#/"), "/")
}

// encodePointer writes a path as a JSON pointer (RFC 6901) in a URL fragment.
func encodePointer(pointer []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var out strings.Builder
	for _, key := range pointer {
		out.WriteByte('/')
		out.WriteString(url.PathEscape(escape.Replace(key)))
	}
	return out.String()
}

// closeDocument makes unknown fields a fault wherever a body is described.
// Published schemas stay open, so that a client may meet a newer server.
func closeDocument(document map[string]any) {
	components, _ := document["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for _, schema := range schemas {
		closeInner(schema)
	}
	// Schemas outside components stand below the key "schema" of a media type.
	paths, _ := document["paths"].(map[string]any)
	for _, part := range []any{paths, components["responses"], components["requestBodies"]} {
		closeMedia(part)
	}
}

func closeMedia(node any) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if key == "schema" {
				closeSchema(value)
				continue
			}
			closeMedia(value)
		}
	case []any:
		for _, value := range node {
			closeMedia(value)
		}
	}
}

// closeSchema forbids fields that neither the schema nor anything that it is
// composed of mentions (JSON Schema 2020-12, unevaluatedProperties). It acts
// where a schema is used: a component may be a part of several others.
func closeSchema(node any) {
	schema, ok := node.(map[string]any)
	if !ok {
		return
	}
	schema["unevaluatedProperties"] = false
	closeInner(schema)
}

// closeInner closes what a schema contains, but not the schema itself.
func closeInner(node any) {
	schema, ok := node.(map[string]any)
	if !ok {
		return
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, property := range properties {
		closeSchema(property)
	}
	closeSchema(schema["items"])
	closeSchema(schema["additionalProperties"])
	for _, keyword := range []string{"allOf", "oneOf"} {
		parts, _ := schema[keyword].([]any)
		for _, part := range parts {
			closeInner(part)
		}
	}
}
