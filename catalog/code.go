package catalog

// Code is the six-character value of X-Ca-Error-Code that VPC-type instances
// send: a letter, the HTTP status, two letters or digits, as in "B403MQ".
type Code string

// Valid reports whether c has the shape of a code. The shape is read off the
// documented codes, it is not documented itself.
func (c Code) Valid() bool {
	if len(c) != 6 || c[0] < 'A' || c[0] > 'Z' {
		return false
	}
	for i := 1; i < 4; i++ {
		if c[i] < '0' || c[i] > '9' {
			return false
		}
	}
	for i := 4; i < 6; i++ {
		if (c[i] < 'A' || c[i] > 'Z') && (c[i] < '0' || c[i] > '9') {
			return false
		}
	}
	return true
}

// Status returns the HTTP status that digits two to four of c name, or 0 if c
// does not have the shape of a code.
func (c Code) Status() int {
	if !c.Valid() {
		return 0
	}
	return int(c[1]-'0')*100 + int(c[2]-'0')*10 + int(c[3]-'0')
}
