package answer

// jsonCopy copies stretches of the body to one part of the structured form.
// Most of an answer stays as it is, so it moves in few large pieces: what was
// read but not yet copied waits in the body.
type jsonCopy struct {
	out []byte
	at  int // body before at is in out, or is not wanted
}

// keep copies the body as far as upTo.
func (w *jsonCopy) keep(body []byte, upTo int) {
	w.out = append(w.out, body[w.at:upTo]...)
	w.at = upTo
}

// replace copies the body as far as from, then text instead of the body as far
// as to.
func (w *jsonCopy) replace(body []byte, from, to int, text []byte) {
	w.keep(body, from)
	w.out = append(w.out, text...)
	w.at = to
}

// cell is the text of one value: a piece of the body, if it can stand as it
// is, with a decimal point before point; or a piece of shaper.cells.
type cell struct {
	from, to int
	point    int  // 0 for none
	own      bool // in shaper.cells
}

// appendCell appends the text of a cell.
func (sh *shaper) appendCell(dst []byte, c cell) []byte {
	switch {
	case c.own:
		return append(dst, sh.cells[c.from:c.to]...)
	case c.point > 0:
		dst = append(append(dst, sh.body[c.from:c.point]...), '.')
		return append(dst, sh.body[c.point:c.to]...)
	default:
		return append(dst, sh.body[c.from:c.to]...)
	}
}

// ownCell makes a cell of what was appended to the cells since from.
func (sh *shaper) ownCell(from int) cell {
	return cell{from: from, to: len(sh.cells), own: true}
}
