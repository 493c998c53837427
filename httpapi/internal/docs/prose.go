package docs

import (
	"html/template"
	"strings"
)

// blocks is a long description: paragraphs, and tables in the form of Markdown,
// with empty lines between them.
func blocks(text string) template.HTML {
	var b strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(block, "|") {
			writeTable(&b, strings.Split(block, "\n"))
			continue
		}
		b.WriteString("<p>" + string(prose(block)) + "</p>\n")
	}
	return template.HTML(b.String()) //nolint:gosec // made of prose
}

// writeTable writes a table whose second line only separates the heads.
func writeTable(b *strings.Builder, lines []string) {
	b.WriteString(`<div class="scroll"><table><thead>`)
	for i, line := range lines {
		switch i {
		case 0:
			writeRow(b, line, `<th scope="col">`, "</th>")
			b.WriteString("</thead><tbody>\n")
		case 1:
		default:
			writeRow(b, line, "<td>", "</td>")
		}
	}
	b.WriteString("</tbody></table></div>\n")
}

func writeRow(b *strings.Builder, line, open, end string) {
	b.WriteString("<tr>")
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		b.WriteString(open + string(prose(strings.TrimSpace(cell))) + end)
	}
	b.WriteString("</tr>\n")
}

// prose is a description with the code in it set as code, and what stands
// between two stars bold.
func prose(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			b.WriteString("<code>" + template.HTMLEscapeString(part) + "</code>")
			continue
		}
		for j, piece := range strings.Split(part, "**") {
			escaped := template.HTMLEscapeString(piece)
			if j%2 == 1 {
				escaped = "<strong>" + escaped + "</strong>"
			}
			b.WriteString(escaped)
		}
	}
	return template.HTML(b.String()) //nolint:gosec // every part is escaped
}
