package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// ServiceFeeDays is after how many days of holding no service fee is charged (F03); 0,
// without limit, while the rule is not in force. Money funds are exempt (ServiceLimit.For).
func (e *Edition) ServiceFeeDays() fund.ServiceLimit { return fund.ServiceLimit(e.serviceFee.Days) }

// Switching are K01's parameters; zero while the rule is not in force.
func (e *Edition) Switching() Switching { return e.switching }

// Concentration are K04's limits; zero while the rule is not in force: nothing is too much.
func (e *Edition) Concentration() *Concentration { return &e.concentration }
