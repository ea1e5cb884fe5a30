package eligibility

// The packages that hold rules beside the gate and the check of orders.
const (
	heldInGate           = "matcher/eligibility"
	heldInMatcher        = "matcher"
	heldInFund           = "matcher/fund"
	heldInSlate          = "matcher/slate"
	heldInConversion     = "matcher/conversion"
	heldInSwitching      = "matcher/switching"
	heldInWording        = "matcher/wording"
	heldInFeatures       = "features"
	heldInRecommendation = "services/recommendation"
	heldInCustomer       = "services/customer"
	heldInDecisionLog    = "services/decisionlog"
)

// descriptions tell about the rules, in the rulebook's order.
var descriptions = [...]Description{
	{
		id:      S01,
		Name:    "最低风险类别",
		Says:    "最低风险类别的客户（C1 中不具备完全民事行为能力、没有风险容忍度或法律规定的自然人），不得向其销售高于其等级的产品，本人要求也不行。",
		Missing: "C1 没有最低类别标识的，视为最低类别。",
	},
	{
		id:      S02,
		Name:    "不推荐高于等级的产品",
		Says:    "不向普通投资者主动推介风险等级高于其承受能力的产品；由本行引起的订单，不得成交。",
		Missing: "没有等级的，高于 R1 均不推荐；专业投资者证明缺失或到期的，按普通投资者；订单来源说不清的，视为本行引起。",
	},
	{
		id:        S03,
		Name:      "超出等级须特别警示",
		Says:      "客户本人要求购买高于其等级的产品的，须告知不匹配，并就该产品、该等级签署特别警示，一次有效。",
		Missing:   "没有等级的归 S12。",
		Elsewhere: []string{heldInFeatures},
	},
	{
		id:        S04,
		Name:      "与目标不符",
		Says:      "不推荐与客户的目标、期限、流动性需要不符的产品；本人下单的，如实告知不符。",
		Missing:   "目标或期限未知的，先询问，不建议买入，锁定期不得超过参数；推断的目标只收紧，不放宽。",
		Elsewhere: []string{heldInMatcher, heldInConversion},
		parameters: []ParameterDescription{
			{Name: "unknown_lockup_days", Says: "目标或期限未知时，最长的资金占用", Unit: "天", stricter: less},
			{Name: "high_need_lockup_days", Says: "随时用钱的客户，最长的资金占用", Unit: "天", stricter: less},
			{Name: "goal_classes", Says: "各目标适合的产品类别", stricter: less},
			{Name: "class_months", Says: "各类别至少要持有多久才合适", Unit: "个月", stricter: more},
		},
	},
	{
		id:   S05,
		Name: "高风险产品的特别程序",
		Says: "向普通投资者销售高风险产品，须追加了解、提供更多信息、给予考虑时间并回访；本行不主动推荐。",
		parameters: []ParameterDescription{
			{Name: "from_grade", Says: "从哪个等级起算高风险", stricter: less},
			{Name: "think_hours", Says: "警示后的考虑时间", Unit: "小时", stricter: more},
		},
	},
	{
		id:        S06,
		Name:      "不作确定性判断",
		Says:      "任何文字都不得对不确定的事项作确定性的判断，也不得预测业绩。",
		Elsewhere: []string{heldInWording},
	},
	{
		id:      S07,
		Name:    "准入条件",
		Says:    "有准入条件的产品（私募、信托、资管、保险），没有有效的合格投资者证明的，不得销售。",
		Missing: "没有证明的，不得销售；产品种类未知的，视为没有准入条件的公募基金（记为“假定”）。",
	},
	{
		id:        S08,
		Name:      "等级变动后重新匹配",
		Says:      "客户等级或产品等级变动后，重新匹配其持有与定投并告知客户；可以继续持有，高于等级的定投暂停，待本人确认。",
		Elsewhere: []string{heldInMatcher},
	},
	{
		id:        S09,
		Name:      "等级对应关系",
		Says:      "C1 至 C5 各自最高对应的产品等级，默认 C1 对 R1、C5 对 R5。",
		Elsewhere: []string{heldInGate},
		parameters: []ParameterDescription{
			{Name: "matrix", Says: "各客户等级最高对应的产品等级", Bound: "不得宽于 C1-R1 至 C5-R5，等级越高不得越低", stricter: less},
		},
	},
	{
		id:        S10,
		Name:      "等级孰高",
		Says:      "产品等级取发行人评级与本行评级中较高者；没有本行评级的，不得销售。",
		Missing:   "没有本行评级的，不得销售；没有发行人评级的，按本行评级，并列为准入待办。",
		Elsewhere: []string{heldInFund},
	},
	{
		id:        S11,
		Name:      "两套规则并行",
		Says:      "公募基金适用证监会规则，本行自有产品自 2026-02-01 起适用金融监管总局规则，按产品种类与时点选用。",
		Missing:   "产品种类未知的，视为公募基金（记为“假定”）。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "nfra_kinds", Says: "适用金融监管总局规则的产品种类", Bound: "须含 OWN，不得含 PUBLIC_FUND"},
		},
	},
	{
		id:        S12,
		Name:      "须有有效测评",
		Says:      "没有有效风险测评（未测评、只有预测等级或已过期）的，不得下单；过期的只展示 R1 供了解，不出个性化清单。有证明的专业投资者除外。",
		Missing:   "没有测评日期的，视为过期；没有测评的，不得下单。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "valid_months", Says: "测评有效期", Unit: "个月", stricter: less},
			{Name: "sell_r1_while_expired", Says: "过期期间是否可以销售 R1", stricter: less},
		},
	},
	{
		id:        S13,
		Name:      "不得反复测评",
		Says:      "一日内、十二个月内的测评次数有限；购买前不久等级跳升的，由人工复核后再办。",
		Missing:   "没有测评历史的，只计已知的次数。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "per_day", Says: "一日内最多测评", Unit: "次", stricter: less},
			{Name: "per_year", Says: "任意十二个月内最多测评", Unit: "次", stricter: less},
			{Name: "jump_levels", Says: "一次升几级算跳升", Unit: "级", stricter: less},
			{Name: "jump_days", Says: "跳升后多久内的购买须复核", Unit: "天", stricter: more},
		},
	},
	{
		id:        S14,
		Name:      "专业投资者",
		Says:      "有类别、有未到期证明且没有自愿按普通投资者对待的专业投资者，放宽 S02、S04、S05。",
		Missing:   "没有类别或未到期证明的，按普通投资者。",
		Elsewhere: []string{heldInGate},
		Relaxes:   true,
	},
	{
		id:      S15,
		Name:    "金额与财力相称",
		Says:    "购买金额超过客户财力的一定比例的，须警示并由本人确认；拆分的订单合并计算。",
		Missing: "财力未知的，推荐不适用本条；本人下单的，须警示并确认。",
		parameters: []ParameterDescription{
			{Name: "assets_percent", Says: "不超过其在本行资产的", Unit: "%", stricter: less},
			{Name: "income_percent", Says: "只知道收入的，不超过年收入的", Unit: "%", stricter: less},
			{Name: "window_days", Says: "多久内的订单合并计算", Unit: "天", stricter: more},
		},
	},
	{
		id:      E01,
		Name:    "老年客户",
		Says:    "老年客户没有客户经理在场的，限制产品等级；不主动推荐长期锁定的产品；下单须额外确认。",
		Missing: "年龄未知的，按参数处理，默认按老年客户。",
		parameters: []ParameterDescription{
			{Name: "age", Says: "从多少岁起", Unit: "岁", stricter: less},
			{Name: "unknown_age", Says: "年龄未知时按老年客户还是成年人", strictly: "ELDER"},
			{Name: "app_grade", Says: "没有客户经理时的最高产品等级", stricter: less},
			{Name: "lockup_days", Says: "可以主动推荐的最长锁定", Unit: "天", stricter: less},
		},
	},
	{
		id:      E02,
		Name:    "民事行为能力",
		Says:    "未满十八周岁的，不得销售；限制或无民事行为能力的，按最低类别，只能由监护人代为购买 R1。",
		Missing: "行为能力未知且没有测评的，高于 R1 不得销售；有测评的视为完全。",
	},
	{
		id:      C01,
		Name:    "只在本行渠道",
		Says:    "只能通过本行自己的渠道销售。",
		Missing: "渠道未知的，不得销售。",
		parameters: []ParameterDescription{
			{Name: "channels", Says: "本行自己的渠道", stricter: less},
		},
	},
	{
		id:        C02,
		Name:      "只卖总行名单内的产品",
		Says:      "只销售总行公布、在有效期内、尽职调查在案且未暂停的产品；直销私募基金一律不得进入。",
		Missing:   "没有尽职调查编号的，不得销售；没有名单有效期的，按已公布（记为“假定”）。",
		Elsewhere: []string{heldInMatcher},
	},
	{
		id:      C03,
		Name:    "客户经理资质",
		Says:    "网点销售须由有从业资格且负责该客户的客户经理办理。",
		Missing: "没有资格记录的，网点不得销售。",
	},
	{
		id:      C04,
		Name:    "双录与电子留痕",
		Says:    "网点销售以及口头警示须有双录编号，其他渠道的确认须有电子签署的留痕。",
		Missing: "没有编号或留痕的，视为没有完成。",
	},
	{
		id:        C05,
		Name:      "下单前的告知",
		Says:      "费用、产品资料概要（及其版本）、匹配意见须在下单前送达客户。",
		Missing:   "费率未知的，列为须先补齐的一步，不作估计。",
		Elsewhere: []string{heldInConversion},
	},
	{
		id:        C06,
		Name:      "保存二十年",
		Says:      "匹配意见、警示、确认与双录保存二十年。",
		Elsewhere: []string{heldInFeatures},
		parameters: []ParameterDescription{
			{Name: "keep_years", Says: "保存年限", Unit: "年", stricter: more},
		},
	},
	{
		id:      C07,
		Name:    "身份与反洗钱核查未结",
		Says:    "客户身份识别或反洗钱核查未结的，不得下单。",
		Missing: "只有报告为未结的才不得下单。",
	},
	{
		id:   C08,
		Name: "非存款、非本行发行",
		Says: "须写明发行人名称，说明本行既不发行也不担保，产品不是存款。",
	},
	{
		id:        C09,
		Name:      "不得送礼返利",
		Says:      "不得以奖品、返利、礼品推动基金销售，也不得对认购期的新基金另设激励；宣传文字同样不得出现。",
		Elsewhere: []string{heldInWording},
	},
	{
		id:      G01,
		Name:    "可交易",
		Says:    "状态、起点金额、单日限额、封闭期不允许的，不得下单；收盘后或休市日下单的，按下一开放日受理并告知。",
		Missing: "没有起点、限额、锁定期、下一开放日的，视为没有（记为“假定”）；没有交易日历的，按工作日假定。",
	},
	{
		id:      P01,
		Name:    "合格投资者产品",
		Says:    "信托、资管等有准入条件的产品，须为合格投资者、达到起点金额，并有冷静期与回访，证明未到期。",
		Missing: "没有证明的，不得销售。",
		parameters: []ParameterDescription{
			{Name: "min_purchase_fen", Says: "起点金额", Unit: "分", stricter: more},
			{Name: "cooling_hours", Says: "冷静期", Unit: "小时", stricter: more},
		},
	},
	{
		id:   P02,
		Name: "不向不特定公众展示",
		Says: "有准入条件的产品不出现在面向不特定公众的清单中。",
	},
	{
		id:      P03,
		Name:    "养老金 Y 份额",
		Says:    "Y 份额只在个人养老金账户中销售。",
		Missing: "没有养老金账户记录的，不得销售。",
	},
	{
		id:        A01,
		Name:      "告知算法推荐",
		Says:      "告知客户清单由算法生成及其基本原理。",
		Elsewhere: []string{heldInMatcher},
	},
	{
		id:        A02,
		Name:      "个性化开关",
		Says:      "客户关闭个性化后立即生效：排序不再读取个人信息，适当性审查照常；不因拒绝而得到更差的服务。",
		Missing:   "客户没有表示的，按参数处理。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "when_unset", Says: "客户没有表示时开还是关", strictly: "OFF"},
		},
	},
	{
		id:        A03,
		Name:      "查看与删除标签",
		Says:      "客户可以查看并删除用于推荐的标签。",
		Elsewhere: []string{heldInCustomer},
	},
	{
		id:        A04,
		Name:      "说明与人工",
		Says:      "客户要求时，给出说明并转由人工处理。",
		Elsewhere: []string{heldInConversion},
	},
	{
		id:        A05,
		Name:      "费用不因人而异",
		Says:      "费用不因客户的偏好、习惯而不同。",
		Elsewhere: []string{heldInFund},
	},
	{
		id:        A06,
		Name:      "拒绝之后不再打扰",
		Says:      "客户拒绝或投诉之后不再推荐；同一产品的展示、联系的次数与时段有上限，联系须有该渠道的同意。",
		Missing:   "没有联系同意的，不推送、不联系；他自己的页面照常。",
		Elsewhere: []string{heldInConversion, heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "refusal_days", Says: "拒绝之后不再推荐", Unit: "天", stricter: more},
			{Name: "complaint_days", Says: "投诉未结之间最长静默", Unit: "天", stricter: more},
			{Name: "contact_cap", Says: "窗口内最多联系", Unit: "次", stricter: less},
			{Name: "contact_window_days", Says: "联系次数的窗口", Unit: "天", stricter: more},
			{Name: "exposure_cap", Says: "窗口内同一基金最多展示", Unit: "次", stricter: less},
			{Name: "exposure_window_days", Says: "展示次数的窗口", Unit: "天", stricter: more},
			{Name: "quiet_from_minute", Says: "晚间从何时起不联系（零点起的分钟数）", Unit: "分钟", stricter: less},
			{Name: "quiet_until_minute", Says: "早上到何时前不联系（零点起的分钟数）", Unit: "分钟", stricter: more},
		},
	},
	{
		id:        A07,
		Name:      "长者模式",
		Says:      "对老年客户使用通俗文字、大字标识，并提供人工通道。",
		Missing:   "年龄未知的，与 E01 相同。",
		Elsewhere: []string{heldInMatcher, heldInRecommendation},
	},
	{
		id:        A08,
		Name:      "日志与事前评估",
		Says:      "保存处理日志；处理敏感个人信息前先作影响评估。",
		Elsewhere: []string{heldInDecisionLog},
		parameters: []ParameterDescription{
			{Name: "keep_years", Says: "保存年限", Unit: "年", stricter: more},
		},
	},
	{
		id:        A09,
		Name:      "不得使用的标签",
		Says:      "不得使用违法或歧视性的标签。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "tags", Says: "不得作为标签的内容", Bound: "须含 religion、ethnicity、health、political", stricter: more},
		},
	},
	{
		id:        F01,
		Name:      "申购费与销售服务费上限",
		Says:      "自 2026-01-01 起，申购费、销售服务费超过所属类别上限的产品，隔离不售，其余产品照常公布。",
		Missing:   "没有费率的，不隔离；类别不明的，按最高的上限。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "existing_before", Says: "此日之前成立的是存量基金"},
			{Name: "existing_until", Says: "存量基金的过渡期到此日"},
			{Name: "subscription_bps", Says: "各类别申购费上限", Unit: "基点", stricter: less},
			{Name: "service_bps", Says: "各类别销售服务费上限", Unit: "基点", stricter: less},
		},
	},
	{
		id:        F02,
		Name:      "赎回费下限",
		Says:      "持有不满 7 日、30 日、180 日的赎回费不低于下限并全部归入基金资产；货币基金除外；不合的产品隔离不售。",
		Missing:   "没有赎回费率的，不隔离，成本记为未知。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "existing_before", Says: "此日之前成立的是存量基金"},
			{Name: "existing_until", Says: "存量基金的过渡期到此日"},
			{Name: "floors", Says: "持有不满几天的最低赎回费（天:基点）", Bound: "天数递增"},
			{Name: "exempt_after_days", Says: "个人持有例外类别满多久可以少收", Unit: "天", stricter: more},
			{Name: "exempt_classes", Says: "可以例外的类别", stricter: less},
		},
	},
	{
		id:        F03,
		Name:      "持有满一年免销售服务费",
		Says:      "持有满一年的部分不收销售服务费（货币基金除外），成本按此计算。",
		Missing:   "没有费率的，成本记为未知，不作估计。",
		Elsewhere: []string{heldInFund, heldInSwitching, heldInConversion},
		parameters: []ParameterDescription{
			{Name: "days", Says: "持有多久之后免收", Unit: "天", stricter: less},
		},
	},
	{
		id:        F04,
		Name:      "佣金不进排序",
		Says:      "佣金、返利、尾随佣金、任务量不得成为任何评分的输入，否则模型不予采用。",
		Elsewhere: []string{heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "inputs", Says: "评分不得读取的内容", Bound: "须含 commission、rebate、trailing_fee、quota", stricter: more},
		},
	},
	{
		id:        K01,
		Name:      "不赎旧买新",
		Says:      "以赎回款买入（含转换、分两笔下单）的，除非确定的好处超过确定的成本，本行不得引起；持有过短或一年内转换过多的，由人工复核。",
		Missing:   "费用未知的，不得认定好处超过成本；订单来源说不清的，视为本行引起。",
		Elsewhere: []string{heldInSwitching, heldInConversion},
		parameters: []ParameterDescription{
			{Name: "window_days", Says: "赎回与买入相隔多久内算一次转换", Unit: "天", stricter: more},
			{Name: "young_days", Says: "持有不满多久的份额须复核", Unit: "天", stricter: more},
			{Name: "switches_a_year", Says: "一年内超过几次须复核", Unit: "次", stricter: less},
			{Name: "origin_days", Says: "展示后多久内的订单视为本行引起", Unit: "天", stricter: more},
			{Name: "turnover_percent", Says: "年换手率从多少起须复核", Unit: "%", stricter: less},
			{Name: "cost_to_equity_bps", Says: "年成本权益比从多少起须复核", Unit: "基点", stricter: less},
		},
	},
	{
		id:   K02,
		Name: "持营与客户盈亏入报表",
		Says: "报表须列出保有量、打开后的保有量、定投与客户盈亏。",
	},
	{
		id:        K03,
		Name:      "新发占比",
		Says:      "清单中的新发产品不超过一定比例，旁列存量同类产品，同等条件下不排在存量之前。",
		Missing:   "没有成立日的，除非在认购期，视为存量基金。",
		Elsewhere: []string{heldInSlate, heldInMatcher},
		parameters: []ParameterDescription{
			{Name: "share_percent", Says: "新发占清单的最高比例", Unit: "%", stricter: less},
			{Name: "new_for_days", Says: "成立多久内算新发", Unit: "天", stricter: more},
		},
	},
	{
		id:      K04,
		Name:    "集中度",
		Says:    "买入后单一产品、单一发行人、单一主题占比超过其等级上限的，须警示并由本人确认。",
		Missing: "没有发行人、主题的，该项不计；没有等级的，按 C1 的上限。",
		parameters: []ParameterDescription{
			{Name: "product_percent", Says: "单一产品的上限", Unit: "%", stricter: less},
			{Name: "issuer_percent", Says: "单一发行人的上限", Unit: "%", stricter: less},
			{Name: "theme_percent", Says: "单一主题的上限", Unit: "%", stricter: less},
		},
	},
	textRule(W01, "业绩区间", "业绩区间须长于六个月，不满一年不年化；成立不足六个月的基金不登业绩。"),
	textRule(W02, "排名须注明出处", "排名须注明评价机构、日期、同类及数量，并跨三年以上。"),
	textRule(W03, "收益与风险并列", "收益旁须并列同一区间的回撤与波动，用通俗文字；产品模板还须列基准的。"),
	textRule(W04, "不提正收益概率", "不出现正收益、正收益概率之类的说法。"),
	textRule(W05, "过往业绩的提示", "凡有业绩，须有“过往业绩不预示未来表现”。"),
	textRule(W06, "规模不作理由", "规模及其增长不作为购买的理由。"),
	textRule(W07, "禁用语", "不得出现保本、无风险、承诺、高收益之类的宣称及其变体，也不得催促、预测、诋毁、与存款作不当比较。"),
	textRule(W08, "经理业绩须完整", "基金经理的业绩须涵盖其全部可比的基金。"),
	textRule(W09, "定投模拟", "定投模拟只用指数、长区间，并注明公式与数据来源。"),
	textRule(W10, "养老产品看长期", "养老产品不登短期业绩与排名，须五年以上。"),
}

// textRule is a rule that the linter of texts holds, and nothing else.
func textRule(id RuleID, name, says string) Description {
	return Description{id: id, Name: name, Says: says, Elsewhere: []string{heldInWording}}
}
