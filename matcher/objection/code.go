package objection

// Code names a doubt.
type Code uint8

// The doubts. The first four have stood in decision records since the spine: their
// numbers stay.
const (
	Drawdown         Code = iota // 怕回撤
	Fee                          // 费用
	Liquidity                    // 流动性
	NewFund                      // 没有业绩
	LossTrauma                   // 亏过钱
	Timing                       // 时点
	Understand                   // 看不懂
	ManagerTrust                 // 不信任基金经理
	OpportunityCost              // 不如存款
	Size                         // 规模太小
	Pushed                       // 被推销
	AlreadyHave                  // 重复
	Dividend                     // 分红
	BreakEvenFirst               // 回本再说
	AskFamily                    // 和家人商量
	CheaperElsewhere             // 别处更便宜
	NotNow                       // 再看看
	Codes                        // the number of codes
)

var codeNames = [Codes]string{
	"DRAWDOWN", "FEE", "LIQUIDITY", "NEW_FUND", "LOSS_TRAUMA", "TIMING", "UNDERSTAND", "MANAGER_TRUST", "OPPORTUNITY_COST",
	"SIZE", "PUSHED", "ALREADY_HAVE", "DIVIDEND", "BREAK_EVEN_FIRST", "ASK_FAMILY", "CHEAPER_ELSEWHERE", "NOT_NOW",
}

// String returns the doubt's code, "UNKNOWN" for a number that is none.
func (c Code) String() string {
	if c < Codes {
		return codeNames[c]
	}
	return "UNKNOWN"
}

// ParseCode reads a doubt's code as an event names it; false: it is none of the
// playbook's.
func ParseCode(s string) (Code, bool) {
	for c, name := range codeNames {
		if name == s {
			return Code(c), true
		}
	}
	return Codes, false
}

// Face is the code under which a customer sees the doubt; false: he does not see it at
// all. His loss history must not stand in a word, nor what was inferred of him:
// LOSS_TRAUMA shows as DRAWDOWN, CHEAPER_ELSEWHERE as FEE, BREAK_EVEN_FIRST and PUSHED
// not at all. docs/objections.md says why, code by code.
func (c Code) Face() (Code, bool) {
	switch c {
	case LossTrauma:
		return Drawdown, true
	case CheaperElsewhere:
		return Fee, true
	case BreakEvenFirst, Pushed:
		return c, false
	default:
		return c, c < Codes
	}
}

// Set is a set of doubts: bit n is the code n.
type Set uint32

// With returns the set with a code in it.
func (s Set) With(c Code) Set { return s | 1<<c }

// Has reports whether a code is in the set.
func (s Set) Has(c Code) bool { return s&(1<<c) != 0 }
