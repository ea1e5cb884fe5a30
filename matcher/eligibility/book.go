package eligibility

// Book is the set of rules that a product is sold by (S11): public funds by the
// securities regulator's, the bank's own products by the financial regulator's from the day
// on that S11 names. An entry of a pack belongs to one book or to both.
type Book uint8

// The books.
const (
	CSRC      Book    = iota // 证监会: 证券期货投资者适当性管理办法
	NFRA                     // 金融监管总局: 金融机构产品适当性管理办法
	Books                    // the number of books
	BothBooks = Books        // of an entry
)

var bookNames = [...]string{"CSRC", "NFRA", ""}

// String returns the book's code; empty for both.
func (b Book) String() string { return bookNames[min(b, BothBooks)] }

func parseBook(s string) (Book, bool) {
	for b, name := range bookNames {
		if name == s {
			return Book(b), true
		}
	}
	return BothBooks, false
}
