package main

// What the codes of an answer are called in zh-CN. A code without a name is shown as it
// is: a new one must not be hidden.

func named(names map[string]string, code string) string {
	if name, ok := names[code]; ok {
		return name
	}
	return code
}

func objectionName(code string) string {
	return named(map[string]string{
		"DRAWDOWN": "怕跌", "FEE": "费用", "LIQUIDITY": "用钱", "NEW_FUND": "新基金", "LOSS_TRAUMA": "亏过钱", "TIMING": "时点",
		"UNDERSTAND": "看不懂", "MANAGER_TRUST": "信不过基金经理", "OPPORTUNITY_COST": "不如存款", "SIZE": "规模太小", "PUSHED": "被推销",
		"ALREADY_HAVE": "已经有了", "DIVIDEND": "分红", "BREAK_EVEN_FIRST": "回本再说", "ASK_FAMILY": "和家人商量",
		"CHEAPER_ELSEWHERE": "别处更便宜", "NOT_NOW": "再看看",
	}, code)
}

func actionName(code string) string {
	return named(map[string]string{
		"BUY": "购买", "PLAN": "定投", "WATCH": "关注", "ASK": "先问清", "TALK_TO_MANAGER": "与客户经理面谈", "RETEST_RISK": "重新测评",
		"HOLD": "继续持有", "REDUCE": "减少持有", "NO_CONTACT": "不打扰", "CONFIRM_REQUIRED": "须先确认",
	}, code)
}

func levelStateNames() map[string]string {
	return map[string]string{"VALID": "有效", "EXPIRED": "已到期", "PREDICTED": "只是推测，不能用", "ABSENT": "没有测评"}
}

func contactNames() map[string]string {
	return map[string]string{
		"REFUSED": "客户拒绝过", "COMPLAINT": "有未了结的投诉", "NO_CONSENT": "客户没有同意", "CAP": "次数已满", "QUIET": "现在是休息时间",
	}
}

func purposeNames() map[string]string {
	return map[string]string{"MARKETING_PUSH": "推送", "MARKETING_CALL": "营销电话"}
}

func licenceNames() map[string]string {
	return map[string]string{"VALID": "有效", "EXPIRED": "已过期", "UNKNOWN": "没有记录"}
}

func deliveryNames() map[string]string {
	return map[string]string{"APP": "手机银行", "MANAGER": "客户经理", "": "未定"}
}

func bandNames() map[string]string {
	return map[string]string{"LOW": "低", "MEDIUM": "中", "HIGH": "高", "UNKNOWN": "未知"}
}

func nodeNames() map[string]string {
	return map[string]string{
		"EXPOSED": "看到", "VIEWED": "看过详情", "ASKED": "提过疑问", "STARTED": "开始下单", "ABANDONED": "中途放弃", "CONFIRMED": "已成交",
	}
}

func evidenceNames() map[string]string {
	return map[string]string{
		"MAX_DRAWDOWN": "最大回撤", "RECOVERY_DAYS": "恢复用时", "WORST_12M": "最差十二个月", "LOSS_12M": "最差十二个月亏损", "LOSS": "亏损",
		"AMOUNT": "金额", "OBSERVATIONS": "净值个数", "NAV_GAP": "净值中断", "PEAK_ON": "高点", "TROUGH_ON": "低点", "RECOVERED_ON": "恢复日",
	}
}
