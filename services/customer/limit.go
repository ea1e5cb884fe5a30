package customer

import (
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// AssessmentLimitError says that a customer may take no assessment on the day of the one
// that was refused (S13).
type AssessmentLimitError struct {
	Next fund.Date // the first day on which he may
}

func (e *AssessmentLimitError) Error() string {
	return fmt.Sprintf("an assessment too many, the next may be taken on %s", e.Next)
}

// ForbiddenTagError names a tag that may be kept of nobody (A09).
type ForbiddenTagError struct {
	Field, Name string // the field as the API spells it
}

func (e *ForbiddenTagError) Error() string {
	return fmt.Sprintf("%s: %.80q is a tag that may be kept of nobody", e.Field, e.Name)
}

// limitMonths is the window of the yearly limit.
const limitMonths = 12

// limitAssessments returns the guard of a write of one assessment. One that is on file
// already, of the same instant and level, is no new one.
func (s *Service) limitAssessments(at fund.Instant, level string) (func(*fund.Profile) error, error) {
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	perDay, perYear := rules.AssessmentLimits()
	return func(before *fund.Profile) error {
		for _, a := range before.Assessments {
			if a.At == at && a.Level.String() == level {
				return nil
			}
		}
		if next := nextAssessment(before.Assessments, at.Date(), perDay, perYear); next != at.Date() {
			return &AssessmentLimitError{Next: next}
		}
		return nil
	}, nil
}

// nextAssessment returns the first day from a day on, on which one assessment more neither
// exceeds the limit of the day nor that of any twelve months: from a day to the same date a
// year on, which is no longer of them.
func nextAssessment(history []fund.Assessed, day fund.Date, perDay, perYear int) fund.Date {
	days := make([]fund.Date, len(history))
	for i := range history {
		days[i] = history[i].At.Date()
	}
	for {
		later := day
		first, _ := slices.BinarySearch(days, day)
		after, _ := slices.BinarySearch(days, day.AddDays(1))
		if perDay > 0 && after-first >= perDay {
			later = day.AddDays(1)
		} else if perYear > 0 {
			later = afterFullYear(slices.Insert(slices.Clone(days), after, day), after, perYear)
		}
		if later == day {
			return day
		}
		day = later
	}
}

// afterFullYear returns the day at a place in a rising list of days, or, where twelve months
// that begin with an earlier one hold it and too many others, the day after them.
func afterFullYear(days []fund.Date, place, perYear int) fund.Date {
	for i := max(0, place-perYear); i <= place && i+perYear < len(days); i++ {
		if end := days[i].AddMonths(limitMonths); days[i+perYear] < end {
			return end
		}
	}
	return days[place]
}
