package synthetic

import "github.com/fundmatch/fundmatch/matcher/fund"

// styleID is an index of styles.
type styleID int

// The styles: the public funds by type, then what is no public fund.
const (
	moneyStyle styleID = iota
	shortBondStyle
	longBondStyle
	mixedBondStyle
	bondTiltStyle
	balancedStyle
	flexibleStyle
	stockTiltStyle
	stockStyle
	indexStyle
	fofStyle
	overseasStyle
	commodityStyle
	propertyStyle
	ownStyle
	privateStyle
	trustStyle
	styleCount
)

// style is what the funds of one type have in common.
type style struct {
	typ    string // product_type, in the words that fund.Product.Class reads
	noun   string // the end of the name
	share  float64
	kind   fund.Kind
	grades [5]float64 // weights of R1 to R5
	load   loadings
	fees   styleFees
	goals  []fund.Goal
	stems  []string
}

// loadings say what a fund's return of a day is made of.
type loadings struct {
	equity, theme, bond, overseas, gold, property float64
	carry                                         float64 // a year, before fees
	noise                                         float64 // of a day
}

// styleFees are the usual fees of a style, within the caps of rule F01.
type styleFees struct {
	entry, service, management, custody fund.BasisPoints
	exit                                string // redemption ladder of F02 or one of its exceptions
}

// The redemption ladders: of rule F02, of its exceptions for bond and index funds held
// by individuals for a week and more, and of what charges nothing.
const (
	ladderF02   = "7:150;30:100;180:50;:0"
	ladderWeek  = "7:150;:0"
	ladderFree  = ":0"
	ladderUnder = "7:150;30:75;365:50;:0" // breaks F02: .75 % under 30 days
)

var (
	cashStems   = []string{"日安", "天添", "现金袋", "日日添", "活钱袋", "零用袋", "随心", "周转"}
	bondStems   = []string{"安禾", "恒裕", "稳泽", "添瑞", "宁远", "丰和", "惠泽", "祥安", "安澜", "安瑞", "纯和", "季禾"}
	equityStems = []string{"远航", "先锋", "致远", "行稳", "知行", "新锐", "启明", "臻选", "卓远", "匠心", "时代", "领行"}
)

// styles is the pool's composition. Shares are of public funds.
var styles = [styleCount]style{
	moneyStyle: {
		"货币型", "货币", 8, fund.PublicFund,
		[5]float64{1, 0, 0, 0, 0},
		loadings{carry: 0.021, noise: 0.000004},
		styleFees{0, 20, 20, 5, ladderFree},
		[]fund.Goal{fund.Cash, fund.Treasury},
		cashStems,
	},
	shortBondStyle: {
		"债券型-中短债", "中短债债券", 10, fund.PublicFund,
		[5]float64{15, 85, 0, 0, 0},
		loadings{bond: 0.35, carry: 0.018, noise: 0.00012},
		styleFees{30, 20, 30, 8, ladderWeek},
		[]fund.Goal{fund.Cash, fund.SteadyIncome, fund.Treasury, fund.House},
		bondStems,
	},
	longBondStyle: {
		"债券型-长债", "债券", 9, fund.PublicFund,
		[5]float64{0, 100, 0, 0, 0},
		loadings{bond: 1, carry: 0.004, noise: 0.00025},
		styleFees{30, 20, 30, 10, ladderWeek},
		[]fund.Goal{fund.SteadyIncome, fund.House},
		bondStems,
	},
	mixedBondStyle: {
		"债券型-混合债", "双债债券", 8, fund.PublicFund,
		[5]float64{0, 55, 45, 0, 0},
		loadings{equity: 0.13, bond: 0.9, carry: 0.008, noise: 0.0006},
		styleFees{30, 20, 60, 15, ladderWeek},
		[]fund.Goal{fund.SteadyIncome, fund.Inflation, fund.Education},
		bondStems,
	},
	bondTiltStyle: {
		"混合型-偏债", "混合", 9, fund.PublicFund,
		[5]float64{0, 20, 80, 0, 0},
		loadings{equity: 0.22, bond: 0.75, carry: 0.010, noise: 0.0010},
		styleFees{50, 40, 70, 15, ladderF02},
		[]fund.Goal{fund.SteadyIncome, fund.Inflation, fund.Education, fund.Retirement},
		bondStems,
	},
	balancedStyle: {
		"混合型-平衡", "平衡混合", 5, fund.PublicFund,
		[5]float64{0, 0, 90, 10, 0},
		loadings{equity: 0.5, bond: 0.45, carry: 0.012, noise: 0.0020},
		styleFees{50, 40, 100, 20, ladderF02},
		[]fund.Goal{fund.Inflation, fund.Education, fund.Retirement},
		equityStems,
	},
	flexibleStyle: {
		"混合型-灵活", "灵活配置混合", 8, fund.PublicFund,
		[5]float64{0, 0, 45, 55, 0},
		loadings{equity: 0.65, theme: 0.2, carry: 0.014, noise: 0.0035},
		styleFees{50, 40, 120, 20, ladderF02},
		[]fund.Goal{fund.Growth, fund.Inflation, fund.Education},
		equityStems,
	},
	stockTiltStyle: {
		"混合型-偏股", "混合", 14, fund.PublicFund,
		[5]float64{0, 0, 10, 90, 0},
		loadings{equity: 0.88, theme: 0.6, carry: 0.018, noise: 0.0045},
		styleFees{80, 40, 120, 20, ladderF02},
		[]fund.Goal{fund.Growth, fund.Retirement},
		equityStems,
	},
	stockStyle: {
		"股票型", "股票", 7, fund.PublicFund,
		[5]float64{0, 0, 0, 85, 15},
		loadings{equity: 0.95, theme: 0.8, carry: 0.018, noise: 0.0050},
		styleFees{80, 40, 120, 20, ladderF02},
		[]fund.Goal{fund.Growth},
		equityStems,
	},
	indexStyle: {
		"指数型-股票", "指数", 9, fund.PublicFund,
		[5]float64{0, 0, 15, 85, 0},
		loadings{equity: 0.95, theme: 1, carry: 0.016, noise: 0.0004},
		styleFees{30, 20, 50, 10, ladderWeek},
		[]fund.Goal{fund.Growth, fund.Education, fund.Retirement},
		equityStems,
	},
	fofStyle: {
		"FOF", "养老目标混合（FOF）", 6, fund.PublicFund,
		[5]float64{0, 30, 70, 0, 0},
		loadings{equity: 0.35, bond: 0.6, carry: 0.008, noise: 0.0009},
		styleFees{50, 30, 80, 15, ladderF02},
		[]fund.Goal{fund.Retirement, fund.Inflation},
		bondStems,
	},
	overseasStyle: {
		"QDII", "全球精选（QDII）", 5, fund.PublicFund,
		[5]float64{0, 0, 0, 60, 40},
		loadings{overseas: 1, noise: 0.0025},
		styleFees{80, 30, 120, 25, ladderF02},
		[]fund.Goal{fund.Growth},
		equityStems,
	},
	commodityStyle: {
		"商品（不含QDII）", "黄金联接", 2, fund.PublicFund,
		[5]float64{0, 0, 0, 70, 30},
		loadings{gold: 1, noise: 0.0004},
		styleFees{50, 30, 50, 10, ladderF02},
		[]fund.Goal{fund.Inflation},
		[]string{"上善", "金石", "恒久", "承裕"},
	},
	propertyStyle: {
		"Reits", "基础设施证券（REITs）", 2, fund.PublicFund,
		[5]float64{0, 0, 80, 20, 0},
		loadings{property: 1, carry: 0.03, noise: 0.0020},
		styleFees{40, 0, 30, 10, ladderF02},
		[]fund.Goal{fund.SteadyIncome, fund.Inflation},
		[]string{"产业园", "高速路", "仓储", "安居", "水务"},
	},
	ownStyle: {
		"理财型-固定收益", "固收理财", 0, fund.OwnProduct,
		[5]float64{15, 70, 15, 0, 0},
		loadings{bond: 0.45, carry: 0.017, noise: 0.0001},
		styleFees{0, 20, 20, 3, ladderFree},
		[]fund.Goal{fund.Cash, fund.SteadyIncome, fund.Treasury},
		[]string{"稳享", "月添", "季季丰", "安心", "双周"},
	},
	privateStyle: {
		"私募证券-股票多头", "私募证券投资基金", 0, fund.PrivateFund,
		[5]float64{0, 0, 0, 20, 80},
		loadings{},
		styleFees{100, 0, 150, 10, ladderFree},
		[]fund.Goal{fund.Growth},
		equityStems,
	},
	trustStyle: {
		"集合信托-债权", "集合资金信托计划", 0, fund.Trust,
		[5]float64{0, 0, 60, 40, 0},
		loadings{},
		styleFees{0, 0, 80, 10, ladderFree},
		[]fund.Goal{fund.SteadyIncome},
		bondStems,
	},
}

// issuers are invented; a likeness to a company is chance.
var issuers = [...]string{
	"华岳", "云麓", "远岫", "青岚", "泓岸", "景屿", "鼎岚", "南栖", "启岳", "明澈", "瑞岭", "澄野", "北屏", "松涧", "临溪", "星垣",
}

// The issuers of what is no public fund.
const (
	ownIssuer     = "示例银行理财子公司"
	privateIssuer = "玄圃私募"
	trustIssuer   = "沧澜信托"
)

// personNames are put together to names of fund managers.
var (
	surnames   = [...]string{"陈", "林", "周", "沈", "顾", "陆", "许", "何", "邵", "唐", "秦", "韩", "叶", "苏", "潘", "魏"}
	givenNames = [...]string{"知远", "若川", "明舟", "以宁", "怀瑾", "清扬", "子衡", "思源", "景行", "望舒", "嘉言", "承宇", "云帆", "书砚"}
)
