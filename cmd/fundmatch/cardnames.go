package main

import "strings"

// What the codes of an answer are called in zh-CN. A code without a name is shown as it
// is: a new one must not be hidden.

func named(names map[string]string, code string) string {
	if name, ok := names[code]; ok {
		return name
	}
	return code
}

func objectionName(code string) string { return named(objectionNames(), code) }

func objectionNames() map[string]string {
	return map[string]string{
		"DRAWDOWN": "怕跌", "FEE": "费用", "LIQUIDITY": "用钱", "NEW_FUND": "新基金", "LOSS_TRAUMA": "亏过钱", "TIMING": "时点",
		"UNDERSTAND": "看不懂", "MANAGER_TRUST": "信不过基金经理", "OPPORTUNITY_COST": "不如存款", "SIZE": "规模太小", "PUSHED": "被推销",
		"ALREADY_HAVE": "已经有了", "DIVIDEND": "分红", "BREAK_EVEN_FIRST": "回本再说", "ASK_FAMILY": "和家人商量",
		"CHEAPER_ELSEWHERE": "别处更便宜", "NOT_NOW": "再看看",
	}
}

func actionName(code string) string {
	return named(map[string]string{
		"BUY": "购买", "PLAN": "定投", "WATCH": "关注", "ASK": "先问清", "TALK_TO_MANAGER": "与客户经理面谈", "RETEST_RISK": "重新测评",
		"HOLD": "不用做什么", "REDUCE": "减少持有", "NO_CONTACT": "不打扰", "CONFIRM_REQUIRED": "须先确认",
	}, code)
}

func levelStateNames() map[string]string {
	return map[string]string{"VALID": "有效", "EXPIRED": "已到期", "PREDICTED": "只是推测，不能用", "ABSENT": "没有测评"}
}

func contactNames() map[string]string {
	return map[string]string{
		"REFUSED": "客户拒绝过", "NOT_NOW": "客户说好了以后的日子", "COMPLAINT": "有未了结的投诉", "NO_CONSENT": "客户没有同意", "CAP": "次数已满", "QUIET": "现在是休息时间",
	}
}

func purposeNames() map[string]string {
	return map[string]string{"MARKETING_PUSH": "推送", "MARKETING_CALL": "营销电话", "PERSONALIZATION": "个性化推荐"}
}

func licenceNames() map[string]string {
	return map[string]string{"VALID": "有效", "EXPIRED": "已过期", "ELSEWHERE": "不属于客户所在网点", "UNKNOWN": "没有记录"}
}

func deliveryNames() map[string]string {
	return map[string]string{"APP": "手机银行", "MANAGER": "客户经理", "": "未定"}
}

func bandNames() map[string]string {
	return map[string]string{"LOW": "低", "MEDIUM": "中", "HIGH": "高", "UNKNOWN": "未知"}
}

func nodeNames() map[string]string {
	return map[string]string{
		"EXPOSED": "看到", "VIEWED": "看详情", "ASKED": "提疑问", "STARTED": "下单", "ABANDONED": "中途放弃", "CONFIRMED": "买入以后的回访",
	}
}

func channelNames() map[string]string {
	return map[string]string{"APP": "手机银行", "BRANCH": "网点", "PHONE": "电话"}
}

func pageNames() map[string]string {
	return map[string]string{"OVERVIEW": "概况", "PERFORMANCE": "业绩", "RISK": "风险", "FEE": "费用", "COMPARE": "比较"}
}

// sourceNames are where a fact can be looked up.
func sourceNames() map[string]string {
	return map[string]string{
		"NAV": "净值", "COMPUTED": "计算", "CUSTOMER": "客户资料", "PRODUCT": "产品资料", "POOL": "产品池", "MODEL": "模型参数", "RULES": "规则",
		"EVENTS": "事件记录", "CALENDAR": "交易日历", "BEHAVIOUR": "客户行为", "HOLDINGS": "持仓", "TAG": "标签", "QUESTIONNAIRE": "问卷",
	}
}

func triggerNames() map[string]string {
	return map[string]string{
		"RAISED": "他自己提过", "RAISED_ELSEWHERE": "对别的产品提过", "OPENED_EVIDENCE": "看过相关说明", "GRADE": "风险等级", "LOCKUP": "有锁定期",
		"PERIODIC": "定期开放", "NEW_ISSUE": "新发行", "SHORT_TENURE": "基金经理任期短", "TOOK_OVER": "基金经理换过", "MANAGES_MANY": "基金经理管得多",
		"BELOW_CLOSURE_LINE": "规模低于清盘线", "NEAR_CLOSURE_LINE": "规模接近清盘线", "NO_PAYOUTS": "没有分过红", "SPECIAL_KIND": "类型特殊",
		"LOW_LEVEL": "承受等级低", "SOLD_IN_FALL": "下跌时卖出过", "READS_RISK": "看风险页", "SHORT_HORIZON": "打算放的时间短", "FEE_PAGE": "看费用页",
		"SHORT_HOLDING": "以往持有时间短", "NEED": "可能要用钱", "AGE": "年长", "DEPOSITS": "有存款", "OPEN_LOSS": "有浮亏", "SOLD_AT_LOSS": "亏损卖出过",
		"SILENT_IN_FALL": "下跌后不再来看", "WATCHES": "看了没买", "ABANDONED": "中途放弃过", "FIRST_OF_KIND": "第一次接触这类产品", "SHORT_DWELL": "页面停留短",
		"DEPOSIT_MATURING": "存款快到期", "CASH_GOAL": "随时要用的钱", "OPEN_COMPLAINT": "有未了结的投诉", "OPTED_OUT": "拒绝过营销", "MANAGER_CHANGED": "客户经理换过",
		"HELD_FUND": "持有同一只基金", "HELD_INDEX": "持有同一指数", "HELD_THEME": "持有同一主题", "HELD_MANAGER": "持有同一基金经理的产品",
		"INCOME_GOAL": "目标是稳健收益", "ASKS_FOR_INCOME": "问过分红", "HOLDS_LOSS": "手上有亏损", "POSTPONES": "推迟过", "ELDER": "年长",
		"JOINT_DECISION": "和家人一起决定", "COMPARE_PAGE": "看比较页", "COMPARES_PLATFORMS": "比较平台",
	}
}

// evidenceName names a fact; figures of a span are named with it.
func evidenceName(field string) string {
	names := evidenceNames()
	if name, ok := names[field]; ok {
		return name
	}
	for _, span := range [...]struct{ code, name string }{
		{"_1Y", "近一年"}, {"_3Y", "近三年"}, {"_5Y", "近五年"}, {"_SINCE_START", "有记录以来"},
	} {
		if figure, ok := strings.CutSuffix(field, span.code); ok {
			return span.name + named(names, figure)
		}
	}
	return field
}

func evidenceNames() map[string]string {
	return map[string]string{
		// The product's record.
		"MAX_DRAWDOWN": "最大回撤", "RECOVERY_DAYS": "恢复用时", "RETURN": "收益率", "VOLATILITY": "波动率", "OBSERVATIONS": "净值个数", "NAV_GAP": "净值中断",
		"WORST_1M": "最差一个月", "WORST_3M": "最差三个月", "WORST_6M": "最差六个月", "WORST_12M": "最差十二个月", "LOSS_12M": "最差十二个月亏损",
		"LOSS": "亏损", "AMOUNT": "金额", "PEAK_ON": "高点", "TROUGH_ON": "低点", "RECOVERED_ON": "恢复日", "DAYS_SINCE_TROUGH": "离低点的天数",
		"FROM": "净值起始日", "NAV_BASIS": "净值口径", "AS_OF": "净值日", "GRADE": "风险等级", "LEVEL": "承受等级",
		"WORST_12M_FROM": "最差十二个月起", "WORST_12M_TO": "最差十二个月止", "WORST_12M_MONTHS": "月数",
		// What he did.
		"LAST_PURCHASE_ON": "最近一次购买", "PURCHASES": "购买次数", "PURCHASES_30": "近三十天购买", "PURCHASES_90": "近九十天购买", "PURCHASES_365": "近一年购买",
		"PURCHASED": "购买金额", "PURCHASED_365": "近一年购买金额", "LAST_REDEMPTION_ON": "最近一次赎回", "REDEMPTIONS": "赎回次数",
		"REDEMPTIONS_30": "近三十天赎回", "REDEMPTIONS_90": "近九十天赎回", "REDEMPTIONS_365": "近一年赎回", "REDEEMED": "赎回金额",
		"REDEEMED_365": "近一年赎回金额", "LAST_VISIT_ON": "最近一次浏览", "VISITS": "浏览次数", "VISITS_30": "近三十天浏览", "VISITS_90": "近九十天浏览",
		"VISITS_365": "近一年浏览", "LAST_CONTACT_ON": "最近一次联系", "CONTACTS": "联系次数", "CONTACTS_30": "近三十天联系", "CONTACTS_90": "近九十天联系",
		"CONTACTS_365": "近一年联系", "LAST_SEEN_ON": "最近一次出现", "CHANNEL": "常用渠道", "CHURN": "流失迹象", "POSTPONEMENTS_365": "近一年推迟次数",
		"LAST_PAGE": "最后看的页面", "DWELL_SECONDS_90": "近九十天平均停留秒数", "NEXT_STEP": "可能的下一步", "BUSIEST_MONTH": "购买最多的月份",
		"OPEN_COMPLAINTS": "未了结的投诉", "COMPLAINTS": "未了结的投诉", "RAISED": "客户提过的次数", "REFUSED_ON": "拒绝日", "REFUSED_FOR": "拒绝的原因", "REFUSED_UNTIL": "拒绝至",
		// What he holds, and what losses he bore.
		"PORTFOLIO_VALUE": "持仓市值", "PORTFOLIO_COST": "持仓成本", "OPEN_RESULT": "持仓盈亏", "LARGEST_FUND": "第一大持仓占比", "HHI_FUND": "集中度（产品）",
		"HHI_ISSUER": "集中度（发行人）", "HHI_THEME": "集中度（主题）", "ABOVE_LEVEL": "高于承受等级的占比", "GRADE_GAP": "平均风险等级减承受等级", "NEW_ISSUES": "买新发的占比",
		"HOLDING_DAYS": "平均持有", "TURNOVER": "换手率", "OPEN_LOSS": "浮亏", "WORST_RESULT": "亏得最多的一只", "WORST_PRODUCT": "亏得最多的产品",
		"REALISED_RESULT": "已实现盈亏", "SOLD_AT_LOSS": "亏损卖出次数", "FALL_BORNE": "承受过的最大跌幅", "SOLD_IN_FALL": "下跌时卖出次数",
		"KEPT_IN_FALL": "下跌时守住次数", "ADDED_IN_FALL": "下跌时加仓次数", "SILENT_AFTER_FALL": "下跌后不再来看的次数",
		"SILENT_IN_FALL": "下跌后不再来看的次数", "BORNE": "承受过的最大跌幅",
		// Why a doubt is foreseen.
		"EXPOSURES": "展示次数", "ABANDONS": "中途放弃次数", "CONTACTS_30D": "近三十天联系",
		"MEAN_DWELL_SECONDS": "平均停留秒数", "HELD_SHARE": "最接近的一只在持仓里的占比", "POSTPONEMENTS": "近一年推迟次数", "UNTIL": "他说的日子",
		"LOSS_PRODUCT": "亏损的产品", "LOSS_RESULT": "它的盈亏", "BREAK_EVEN_RISE": "回到成本需要的涨幅",
	}
}
