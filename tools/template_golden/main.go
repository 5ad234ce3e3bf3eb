// Writes the golden cases of src/cli/template: what Go's own text/template makes of a list of
// templates, with docker's functions. Run by hand when the list changes:
//
//	go run tools/template_golden/main.go < src/cli/template/testdata/templates.txt > src/cli/template/testdata/golden.json
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"text/template"
)

const data = `{
  "Name": "web", "Empty": "", "N": 42, "Negative": -7, "Pi": 3.5, "Big": 1e21, "On": true, "Off": false,
  "Null": null, "List": ["a", "b", "c"], "Numbers": [1, 2, 3], "None": [], "Html": "<a href=\"x\">&'</a>",
  "Map": {"b": "two", "a": "one"}, "NoMap": {}, "Deep": {"A": {"B": {"C": "deep"}}},
  "Mixed": [1, "x", true, null, 2.5, ["n"], {"k": "v"}], "Utf": "héllo wörld", "Words": "hello big world",
  "Objects": [{"Name": "x", "N": 1}, {"Name": "y", "N": 2}]
}`

func numbers(v any) any {
	switch t := v.(type) {
	case json.Number:
		if i, err := t.Int64(); err == nil {
			return int(i)
		}
		f, _ := t.Float64()
		return f
	case []any:
		for i := range t {
			t[i] = numbers(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = numbers(t[k])
		}
	}
	return v
}

var functions = template.FuncMap{
	"json": func(v any) string {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v)
		return strings.TrimSpace(b.String())
	},
	"split": strings.Split,
	"join": func(elements any, separator string) (string, error) {
		if elements == nil {
			return "", nil
		}
		v := reflect.ValueOf(elements)
		if v.Kind() != reflect.Slice {
			return "", fmt.Errorf("expected slice, got %T", elements)
		}
		var parts []string
		for i := 0; i < v.Len(); i++ {
			parts = append(parts, fmt.Sprint(v.Index(i).Interface()))
		}
		return strings.Join(parts, separator), nil
	},
	"title": strings.Title,
	"lower": strings.ToLower,
	"upper": strings.ToUpper,
	"pad": func(s string, before, after int) string {
		if s == "" {
			return s
		}
		return strings.Repeat(" ", before) + s + strings.Repeat(" ", after)
	},
	"truncate": func(s string, n int) string {
		if len(s) < n {
			return s
		}
		return s[:n]
	},
}

type result struct {
	Template string
	Output   string
	Error    string
}

func main() {
	var value any
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	value = numbers(value)
	var results []result
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		// One template per line; \n and \t stand for themselves, "#" starts a comment.
		line := scanner.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text := strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(line)
		r := result{Template: text}
		t, err := template.New("").Funcs(functions).Parse(text)
		if err == nil {
			var out bytes.Buffer
			err = t.Execute(&out, value)
			r.Output = out.String()
		}
		if err != nil {
			r.Error = err.Error()
		}
		results = append(results, r)
	}
	out, _ := json.MarshalIndent(map[string]any{"Data": json.RawMessage(data), "Cases": results}, "", " ")
	fmt.Println(string(out))
}
