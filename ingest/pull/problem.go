package pull

import "fmt"

// Problem is why a page could not be imported. It says where: the type and the
// page. Trying again mends it unless it is Final.
type Problem struct {
	Type  string
	Page  int
	Code  string // one of the codes below
	Text  string
	Final bool
}

// The codes of a Problem.
const (
	codeUnreachable = "endpoint_unreachable"      // no answer, or too slow a one
	codeStatus      = "endpoint_error"            // an answer that is no page
	codeAuth        = "endpoint_unauthorized"     // the credentials were refused
	codeRefused     = "endpoint_refused"          // its address must not be reached
	codeRedirect    = "redirect_to_another_host"  // not followed, for the sake of the credentials
	codeTooLarge    = "page_too_large"            //
	codeMalformed   = "page_malformed"            // not the JSON that was expected
	codeStanding    = "pagination_not_advancing"  // the same page again, or no end
	codeCredentials = "credentials_lost"          // they cannot be opened any more
	codeGone        = "data_source_gone"          //
	codeUnconnected = "data_source_not_connected" //
	codeStore       = "rows_could_not_be_stored"  //
)

// Error says where and why.
func (p *Problem) Error() string {
	if p.Page == 0 {
		return p.Text
	}
	return fmt.Sprintf("%s, page %d: %s", p.Type, p.Page, p.Text)
}
