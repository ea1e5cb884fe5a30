package dataset

import (
	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

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
		seen:       func() func(*NAVRow) bool { return navDays{}.seen },
		keyColumns: []int{0, 1},
		customer:   -1, product: 0,
	}
}

// navDays are the days on which products have a NAV, a bit each: for the NAVs of all
// Chinese funds, 45 million rows, some megabytes where a set of keys takes gigabytes.
type navDays map[productYear][6]uint64

type productYear struct {
	product string
	year    int
}

// seen reports whether the product's day came before.
func (d navDays) seen(v *NAVRow) bool {
	k := productYear{product: v.ProductCode, year: v.Date.Year()}
	bits := d[k]
	day := v.Date.DayNumber() - fund.Date(k.year*10000+101).DayNumber() // from 1 January
	if bits[day/64]>>(day%64)&1 == 1 {
		return true
	}
	bits[day/64] |= 1 << (day % 64)
	d[k] = bits
	return false
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
