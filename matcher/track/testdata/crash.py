"""Computes crash.golden from the reference data, as a second opinion on matcher/track.

Another language, decimals of 40 digits and lists instead of walks; from docs/track.md.
From the repository's root:

    python3 matcher/track/testdata/crash.py ../shared/data/cn-funds/nav.csv.gz > matcher/track/testdata/crash.golden
"""

import csv
import gzip
import sys
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, getcontext

FUNDS = "000020 000041 040008 070032 110011 110022 161725 163407 260108 270023 486001 519068 001626 002666".split()
DAYS = [date(2014, 6, 30), date(2015, 8, 26), date(2015, 12, 31), date(2017, 6, 30)]
RISK_FREE = Decimal("0.015")
SAME = Decimal("1e-9")

getcontext().prec = 40


def millionths(x):
    return int((x * 1000000).quantize(Decimal(1), ROUND_HALF_UP))


def months_later(day, months):
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        return months_later(day.replace(day=1), months + 1)


def last_by(days, day):
    return max([i for i, d in enumerate(days) if d <= day], default=0)


def falls(days, wealth):
    found, i = [], 0
    while i < len(wealth):
        peak = max(wealth[: i + 1])
        run = i
        while run < len(wealth) and wealth[run] < peak * (1 - SAME):
            run += 1
        if run > i:
            low = min(wealth[i:run])
            found.append((
                low / peak - 1,
                days[next(k for k, w in enumerate(wealth) if w >= peak * (1 - SAME))],
                days[next(k for k in range(i, run) if wealth[k] <= low * (1 + SAME))],
                days[run] if run < len(wealth) else None,
            ))
        i = max(run, i + 1)
    return found


def results(days, wealth, start, months):
    for i in range(start, len(days)):
        due = months_later(days[i], months)
        if due <= days[-1]:
            j = last_by(days, due)
            if j > i:
                yield wealth[j] / wealth[i] - 1, days[i], days[j]


def span(name, start, days, wealth, returns):
    if start is None:
        print(f"  {name}: too young")
        return
    print(f"  {name}: {days[start]}/{days[-1]} return {millionths(wealth[-1] / wealth[start] - 1)}")
    depth, peak, trough, back = min(falls(days[start:], wealth[start:]), key=lambda f: f[0])
    print(f"    drawdown {millionths(depth)} {peak} {trough} {back or 'not recovered'} {((back or days[-1]) - trough).days} days")
    r = returns[start + 1 :]
    n = len(r)
    if n >= 60:
        mean = sum(r) / n
        volatility = (sum((x - mean) ** 2 for x in r) / (n - 1) * 252).sqrt()
        downside = (sum(x * x for x in r if x < 0) / n * 252).sqrt()
        sharpe = "too young"
        if months_later(days[start], 12) <= days[-1]:
            sharpe = millionths((mean * 252 - RISK_FREE) / volatility)
        print(f"    volatility {millionths(volatility)} downside {millionths(downside)} Sharpe {sharpe}")
    for months in 1, 3, 6, 12:
        all_results = list(results(days, wealth, start, months))
        if all_results:
            value, entry, leave = min(all_results, key=lambda x: x[0])
            print(f"    worst {months}M {millionths(value)} {entry}/{leave}")


def record(code, navs, as_of):
    navs = [n for n in navs if n[0] < as_of]
    print(f"{code} as of {as_of}")
    if not navs:
        print("  no NAV yet")
        return
    for i in range(len(navs) - 1, 0, -1):
        if (navs[i][0] - navs[i - 1][0]).days > 31:
            navs = navs[i:]
            break
    days = [n[0] for n in navs]
    returns = [None] + [(b[2] - a[2]) / a[1] for a, b in zip(navs, navs[1:])]
    wealth = [Decimal(1)]
    for r in returns[1:]:
        wealth.append(wealth[-1] * (1 + r))
    print(f"  {days[0]}/{days[-1]} {len(days)} NAVs, {(as_of - days[-1]).days} days old, unit NAV {navs[-1][1]:.4f}")
    for name, months in ("1Y", 12), ("3Y", 36), ("5Y", 60), ("SINCE_START", 0):
        begin = months_later(days[-1], -months)
        if months == 0:
            begin = days[0]
        start = last_by(days, begin) if days[0] <= begin + timedelta(10) else None
        span(name, start, days, wealth, returns)
    for months in 1, 3, 6, 12, 24, 36:
        held = list(results(days, wealth, 0, months))
        n = len(held)
        if n < 60:
            print(f"  held {months}M: {n} entry days, too young")
            continue
        ranked = sorted(h[0] for h in held)
        quantiles = [str(millionths(ranked[-(-p * n // 100) - 1])) for p in (10, 25, 50, 75, 90, 100)]
        worst = min(held, key=lambda x: x[0])
        print(f"  held {months}M: {n} entry days {held[0][1]}/{held[-1][2]} worst {millionths(worst[0])} {worst[1]}/{worst[2]} then {' '.join(quantiles)}")
    # None of these funds multiplies after a conversion: every step is a payout.
    start = last_by(days, months_later(days[-1], -36))
    paid = [
        (b[0], (b[2] - b[1] - a[2] + a[1]) / a[1])
        for a, b in zip(navs[start:], navs[start + 1 :])
        if b[2] - b[1] != a[2] - a[1]
    ]
    last = f", last {paid[-1][0]} {millionths(paid[-1][1])}" if paid else ""
    print(f"  payouts {days[start]}/{days[-1]}: {len(paid)}, {millionths(sum((p[1] for p in paid), Decimal(0)))}{last}")
    for depth, peak, trough, back in falls(days, wealth):
        if millionths(depth) <= -100000:
            print(f"  fall {millionths(depth)} {peak} {trough} {back or 'not recovered'}")


def main():
    navs = defaultdict(list)
    with gzip.open(sys.argv[1], "rt") as f:
        for row in csv.DictReader(f):
            day = date.fromisoformat(row["nav_date"])
            navs[row["product_code"]].append((day, Decimal(row["unit_nav"]), Decimal(row["accum_nav"])))
    for code in FUNDS:
        for as_of in DAYS:
            record(code, navs[code], as_of)


main()
