package dataset

import "github.com/fundmatch/fundmatch/features"

func managerFormat() *format[features.Manager] {
	return &format[features.Manager]{
		name:     "managers.csv",
		columns:  []string{"manager_id", "branch_id", "licence_id", "licence_until"},
		required: 2,
		decode: func(r *row) (v features.Manager) {
			v.ID = r.id()
			v.BranchID = r.id()
			v.LicenceID = r.label(MaxLabel)
			v.LicenceUntil = r.date()
			return v
		},
		encode: func(r *record, v *features.Manager) {
			r.text(v.ID)
			r.text(v.BranchID)
			r.text(v.LicenceID)
			r.date(v.LicenceUntil)
		},
		key:        func(dst []byte, v *features.Manager) []byte { return append(dst, v.ID...) },
		keyColumns: []int{0},
		customer:   -1, product: -1,
	}
}

func branchFormat() *format[features.Branch] {
	return &format[features.Branch]{
		name:     "branches.csv",
		columns:  []string{"branch_id", "name", "region", "parent_id"},
		required: 1,
		decode: func(r *row) (v features.Branch) {
			v.ID = r.id()
			v.Name = r.optionalText()
			v.Region = r.optionalText()
			v.ParentID = r.optionalID()
			return v
		},
		encode: func(r *record, v *features.Branch) {
			r.text(v.ID)
			r.text(v.Name)
			r.text(v.Region)
			r.text(v.ParentID)
		},
		key:        func(dst []byte, v *features.Branch) []byte { return append(dst, v.ID...) },
		keyColumns: []int{0},
		customer:   -1, product: -1,
	}
}
