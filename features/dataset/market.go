package dataset

import "github.com/fundmatch/fundmatch/features"

func navFormat() *format[NAVRow] {
	return &format[NAVRow]{
		name:     "nav.csv",
		columns:  []string{"product_code", "nav_date", "unit_nav", "accum_nav", "purchase_status", "redeem_status"},
		required: 4,
		decode: func(r *row) (v NAVRow) {
			v.ProductCode = r.id()
			v.Date = r.requiredFactDate()
			v.Unit = r.price()
			v.Accum = r.price()
			v.PurchaseStatus = r.optionalText()
			v.RedeemStatus = r.optionalText()
			return v
		},
		encode: func(r *record, v *NAVRow) {
			r.text(v.ProductCode)
			r.date(v.Date)
			r.price(v.Unit)
			r.price(v.Accum)
			r.text(v.PurchaseStatus)
			r.text(v.RedeemStatus)
		},
		key: func(dst []byte, v *NAVRow) []byte {
			return keyNumber(keyText(dst, v.ProductCode), int64(v.Date))
		},
		keyColumns: []int{0, 1},
		customer:   -1, product: 0,
	}
}

func calendarFormat() *format[features.CalendarDay] {
	return &format[features.CalendarDay]{
		name:     "calendar.csv",
		columns:  []string{"date", "open"},
		required: 2,
		decode: func(r *row) features.CalendarDay {
			return features.CalendarDay{Date: r.requiredDate(), Open: r.flag()}
		},
		encode: func(r *record, v *features.CalendarDay) {
			r.date(v.Date)
			r.flag(v.Open)
		},
		key: func(dst []byte, v *features.CalendarDay) []byte {
			return keyNumber(dst, int64(v.Date))
		},
		keyColumns: []int{0},
		customer:   -1, product: -1,
	}
}
