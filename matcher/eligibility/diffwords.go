package eligibility

import "strings"

// Words says the change in zh-CN, for the compliance officer.
func (c *Change) Words() string {
	switch c.Kind {
	case NameChanged:
		return "规则包名称：" + c.Before + " → " + c.After
	case VersionChanged:
		return "规则包版本：" + c.Before + " → " + c.After
	default:
		return c.subject() + "：" + c.predicate() + effectWords(c.Effect)
	}
}

// subject names the entry: S05 高风险产品的特别程序（金融监管总局，自 2026-02-01 起）.
func (c *Change) subject() string {
	var which []string
	if c.Book != BothBooks {
		which = append(which, c.Book.Words())
	}
	if from := instantText(c.From); from != "" {
		which = append(which, "自 "+from+" 起")
	}
	s := string(c.Rule) + " " + Describe(c.Rule).Name
	if len(which) > 0 {
		s += "（" + strings.Join(which, "，") + "）"
	}
	return s
}

func (c *Change) predicate() string {
	switch c.Kind {
	case EntryAdded:
		return "新增条目"
	case EntryRemoved:
		return "删除条目"
	case BookChanged:
		return "适用范围 " + bookWords(c.Before) + " → " + bookWords(c.After)
	case FromChanged:
		return "生效 " + orElse(c.Before, "自始") + " → " + orElse(c.After, "自始")
	case UntilChanged:
		return "失效 " + orElse(c.Before, "无期限") + " → " + orElse(c.After, "无期限")
	case EnabledChanged:
		return enabledWords(c.Before) + " → " + enabledWords(c.After)
	case OutcomeChanged:
		return c.outcomeWords()
	case ParameterChanged:
		return c.parameterWords()
	case CitationChanged:
		return becomes("依据", quoted(c.Before), quoted(c.After))
	case MarkChanged:
		return becomes("来源标记", c.Before, c.After)
	default:
		return becomes(string(c.Kind)+" "+c.Name, c.Before, c.After)
	}
}

func (c *Change) outcomeWords() string {
	name := c.Name
	for s := range situations {
		if s.String() == c.Name {
			name = s.Words()
		}
	}
	words := func(code string) string {
		if o, ok := parseOutcome(code); ok {
			return code + " " + o.Words()
		}
		return code
	}
	return becomes(name, words(c.Before), words(c.After))
}

// parameterWords: 测评有效期 valid_months 12 → 6 个月.
func (c *Change) parameterWords() string {
	parameter, _, _ := strings.Cut(c.Name, ".")
	d := DescribeParameter(c.Rule, parameter)
	unit := ""
	if d.Unit != "" {
		unit = " " + d.Unit
	}
	return becomes(strings.TrimSpace(d.Says+" "+c.Name), c.Before, c.After) + unit
}

// becomes says old and new; only one of them where there is no other.
func becomes(what, before, after string) string {
	switch {
	case before == "":
		return what + " " + after
	case after == "":
		return what + " " + before + " → 无"
	default:
		return what + " " + before + " → " + after
	}
}

func orElse(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "“" + s + "”"
}

func bookWords(code string) string {
	b, _ := parseBook(code)
	return b.Words()
}

func enabledWords(enabled string) string {
	if enabled == "true" {
		return "启用"
	}
	return "停用"
}

func effectWords(e Effect) string {
	switch e {
	case Stricter:
		return "（更严）"
	case Laxer:
		return "（更宽）"
	default:
		return ""
	}
}

// Words says the outcome in zh-CN.
func (o Outcome) Words() string {
	words := [...]string{"不适用", "留痕", "待办", "告知", "先办理一步", "警示并确认", "人工复核", "不推荐", "不得销售"}
	return words[min(int(o), len(words)-1)]
}

// Words says the situation in zh-CN.
func (s Situation) Words() string {
	words := [...]string{"本行推荐", "本行引起的订单", "客户本人的订单"}
	return words[min(int(s), len(words)-1)]
}

// Words says in zh-CN whose rules the book holds.
func (b Book) Words() string {
	words := [...]string{"证监会规则", "金融监管总局规则", "两套规则"}
	return words[min(int(b), len(words)-1)]
}
