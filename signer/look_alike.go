package signer

import "unicode"

// lookAlike reports whether two texts look the same and are not: a hard blank,
// a character of no width or of full width, a typographic quote, an accent that
// is a character of its own (Unicode forms NFD and NFC).
func lookAlike(a, b string) bool {
	x, apartX := plainLook(a)
	y, apartY := plainLook(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		// No table of compositions here: an accented letter stands against a plain one.
		accent := apartX != apartY && (x[i] >= 0xc0) != (y[i] >= 0xc0)
		if x[i] != y[i] && !accent {
			return false
		}
	}
	return true
}

// plainLook replaces characters by the plain ones that they look like. apart
// says that accents were characters of their own.
func plainLook(s string) (plain []rune, apart bool) {
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r):
			apart = true
		case unicode.Is(unicode.Cf, r): // of no width
		case unicode.Is(unicode.Zs, r):
			plain = append(plain, ' ')
		case r >= 0xff01 && r <= 0xff5e: // of full width
			plain = append(plain, r-0xff01+'!')
		case r == '‘' || r == '’':
			plain = append(plain, '\'')
		case r == '“' || r == '”':
			plain = append(plain, '"')
		default:
			plain = append(plain, r)
		}
	}
	return plain, apart
}
