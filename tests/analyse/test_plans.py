"""What is told of firms as a system of rows: coefficients, ends, costs and needs by hand."""

import math

import numpy as np
import pytest
from small_tables import indicators

from pipeline.analyse.measures import rules_of
from pipeline.analyse.plans import Known, Shown, answers_told, plan_of
from pipeline.analyse.series import Series
from pipeline.disclosure import Rules
from pipeline.disclosure.attack import contradictions
from pipeline.disclosure.plan import PUBLIC
from pipeline.disclosure.repair import repair

INF = math.inf
NOTHING = Known({}, {})
SHARE = {"kind": "share", "numerator": "x > 0", "scale": 100.0}


def shown(values, cells, below=1.0, *, weight=1.0, told=(), hidden=(), firms=None, **indicator):
    """What is told of an indicator, a total unless it is another: `x` for each firm in a cell.

    `told` and `hidden`: numbers of the cells that were released, or suppressed a wave before.
    `holdings` and `waived` have a letter or a number a firm.
    """
    n, m = len(values), len(cells)
    holdings = np.array(indicator.pop("holdings", range(n)))
    waived = np.array(indicator.pop("waived", [0] * n), dtype=bool)
    row = {"kind": "total", "decimals": 0, "denominator": ""} | indicator
    definition = indicators(**row)
    amounts = (np.broadcast_to(np.array(v, dtype=float), n) for v in (weight, values, below))
    return Shown(
        Series(
            rules_of(definition)["x"],
            Rules(3, 10, 1, 100),
            np.arange(n) if firms is None else np.array(firms),
            *(holdings, waived, *amounts),
        ),
        np.arange(m),
        np.array([[letter == "x" for letter in cell] for cell in cells]),
        definition["numerator"].iloc[0],
        row["denominator"],
        np.full(m, 10.0 ** -row["decimals"]),
        np.isin(np.arange(m), told),
        np.isin(np.arange(m), hidden),
    )


def rows_of(plan):
    """Each row: its coefficients, its ends, its cell."""
    ends = zip(plan.told.low.tolist(), plan.told.high.tolist(), strict=True)
    rows = plan.told.rows.toarray().tolist()
    return list(zip(rows, ends, plan.cell.tolist(), strict=True))


def one_row(*values, **options):
    ((row, ends, cell),) = rows_of(plan_of([shown(*values, **options)], NOTHING, 9))
    assert cell == 0
    return row, pytest.approx(ends)


def test_a_total_is_told_to_half_a_step():
    # 2 * 10 + 3 * 5 = 35.
    assert one_row([10, 5], ["xx"], weight=[2, 3]) == ([2, 3], (34.5, 35.5))
    # 2 * 1004 + 3 * 50 = 2158, told as 2.2 thousand: 2.15 to 2.25.
    thousands = {"scale": 0.001, "decimals": 1}
    assert one_row([1004, 50], ["xx"], weight=[2, 3], **thousands) == ([2, 3], (2150, 2250))
    # 35 of thousands are told as 0.0.
    assert one_row([10, 5], ["xx"], weight=[2, 3], **thousands) == ([2, 3], (-50, 50))


@pytest.mark.parametrize("half", [0.5, 1.5, 2.5])
def test_a_figure_half_way_between_two_is_within_the_ends_of_either(half):
    plan = plan_of([shown([half], ["x"])], NOTHING, 1)
    assert plan.told.high[0] - plan.told.low[0] == pytest.approx(1)
    assert half in (pytest.approx(plan.told.low[0]), pytest.approx(plan.told.high[0]))
    assert not contradictions(plan.told).size


def test_a_mean_is_a_sum_as_everybody_knows_its_base():
    # (2 * 10 + 1 * 4) / 3 = 8.0 to within 0.05: times 3.
    expected = ([2, 1], (24 - 0.15, 24 + 0.15))
    assert one_row([10, 4], ["xx"], weight=[2, 1], kind="mean", decimals=1) == expected


def test_a_share_is_a_count_of_answers():
    # 2 of 3 are 66.7 %, told as 67: 0.665 * 3 = 1.995 to 0.675 * 3 = 2.025.
    assert one_row([1, 1, 0], ["xxx"], **SHARE) == ([1, 1, 1], (1.995, 2.025))
    plan = plan_of([shown([1, 1, 0], ["xxx"], **SHARE)], NOTHING, 3)
    assert (plan.told.least.tolist(), plan.told.most.tolist()) == ([0] * 3, [1] * 3)
    assert (plan.up.tolist(), plan.down.tolist()) == ([INF, INF, 1], [1, 1, INF])


def test_an_answer_of_a_balance_may_be_either_other_one():
    plan = plan_of([shown([1, 0, -1], ["xxx"], kind="balance", scale=100.0)], NOTHING, 3)
    assert (plan.told.least.tolist(), plan.told.most.tolist()) == ([-1] * 3, [1] * 3)
    assert (plan.up.tolist(), plan.down.tolist()) == ([INF, 1, 1], [1, 1, INF])


def test_a_ratio_is_told_by_a_row_for_each_end():
    # (2 * 30 + 1 * 20) / (2 * 4 + 1 * 8) = 5, told as 5.0: 4.95 to 5.05 times the denominator.
    ratio = {"kind": "ratio", "denominator": "y", "decimals": 1}
    plan = plan_of([shown([30, 20], ["xx"], [4, 8], weight=[2, 1], **ratio)], NOTHING, 2)
    assert plan.told.values.tolist() == [30, 20, 4, 8]
    (above, ends_above, _), (below, ends_below, _) = rows_of(plan)
    assert above == pytest.approx([2, 1, -2 * 4.95, -4.95])
    assert below == pytest.approx([2, 1, -2 * 5.05, -5.05])
    assert (ends_above, ends_below) == ((0, INF), (-INF, 0))
    assert plan.cell.tolist() == [0, 0]
    assert plan.owner.tolist() == [0, 1, 0, 1]
    assert plan.up == pytest.approx([3, 2, 0.4, 0.8])


def test_a_ratio_of_per_cent_has_its_scale():
    # 100 * 30 / 40 = 75 %: y - 0.745 x >= 0 and y - 0.755 x <= 0.
    per_cent = {"kind": "ratio", "denominator": "y", "scale": 100.0}
    plan = plan_of([shown([30], ["x"], [40], **per_cent)], NOTHING, 1)
    assert [row for row, _, _ in rows_of(plan)] == [[1, -0.745], [1, -0.755]]


def test_answers_per_amount_are_answers_and_amounts():
    ratio = {"kind": "ratio", "numerator": "x > 0", "denominator": "jobs"}
    plan = plan_of([shown([1, 0], ["xx"], [500, 40], **ratio)], NOTHING, 2)
    assert plan.told.most.tolist() == [1, 1, INF, INF]
    assert plan.up.tolist() == [INF, 1, 50, 4]
    assert plan.down.tolist() == [1, INF, INF, INF]
    answers = plan_of(
        [shown([1, 0], ["xx"], [1, 1], **ratio | {"denominator": "y > 0"})], NOTHING, 2
    )
    assert answers.told.most.tolist() == [1] * 4


def test_one_formula_is_one_unknown_a_firm_whatever_tells_of_it():
    # The mean has no firm 0, and its firms are the second and third of the wave.
    total = shown([10, 20, 30], ["xxx", ".xx"])
    mean = shown([20, 30, 7], ["xx.", "x.."], kind="mean", firms=[1, 2, 3], holdings=[1, 2, 3])
    plan = plan_of([total, mean], NOTHING, 4)
    # Firm 3 is in no cell of the mean: nothing is told of it.
    assert plan.told.values.tolist() == [10, 20, 30]
    assert [(row, cell) for row, _, cell in rows_of(plan)] == [
        ([1, 1, 1], 0),
        ([0, 1, 1], 1),
        ([0, 1, 1], 2),
        ([0, 1, 0], 3),
    ]
    assert len(plan.cost) == 4


def test_parts_of_a_formula_are_no_more_than_it():
    jobs, all_posts = shown([8, 5], ["xx"], numerator="jobs"), [10, 5]
    posts = shown(all_posts, ["xx"], numerator="jobs + open")
    public = [
        (row, ends)
        for row, ends, cell in rows_of(
            plan_of([jobs, posts], Known({"jobs": (0, INF), "open": (0, INF)}, {}), 2)
        )
        if cell == PUBLIC
    ]
    # jobs - (jobs + open) <= 0, firm by firm.
    assert public == [([1, 0, -1, 0], (-INF, 0)), ([0, 1, 0, -1], (-INF, 0))]
    assert PUBLIC not in plan_of([jobs, posts], Known({"jobs": (0, INF)}, {}), 2).cell


def test_a_part_may_have_a_least_share():
    whole = shown([100], ["x"], numerator="x")
    part = shown([20], ["x"], numerator="x * y / 100")
    bounds = {"x": (0, INF), "y": (10, 50)}
    public = rows_of(plan_of([whole, part], Known(bounds, {}), 1))[2:]
    # part - 0.1 x >= 0 and part - 0.5 x <= 0.
    assert [(row, ends) for row, ends, _ in public] == [
        (pytest.approx([-0.1, 1]), (0, INF)),
        (pytest.approx([-0.5, 1]), (-INF, 0)),
    ]


def test_who_is_in_one_of_two_formulas_only_is_in_no_relation():
    whole = shown([100, 50], ["xx"], numerator="x")
    part = shown([20], ["x"], numerator="x * y / 100", firms=[1], holdings=[1])
    plan = plan_of([whole, part], Known({"x": (0, INF), "y": (0, 100)}, {}), 2)
    assert [row for row, _, cell in rows_of(plan) if cell == PUBLIC] == [
        pytest.approx([0, -1, 1]),
    ]


def test_what_readers_know_to_within_so_much_bounds_an_item():
    other = shown([7], ["x"], numerator="y")
    plan = plan_of([shown([100, 0, 40], ["xxx"]), other], Known({}, {"x": 5.0, "z": 1.0}), 3)
    assert plan.told.least == pytest.approx([95, 0, 38, 0])
    assert plan.told.most == pytest.approx([105, 0, 42, INF])
    # 10 % more than 100 cannot be: no suppression helps.
    # The last target: y, which is told alone, must be thought to be smaller, too.
    assert repair(plan).known.tolist() == [True, False, True, False, False]


def test_a_loss_has_no_least_value():
    plan = plan_of([shown([100, -30, 0], ["xxx"])], NOTHING, 3)
    # Nor has any other: readers are not told which firm made it.
    assert plan.told.least.tolist() == [-INF] * 3
    # 10 % of 100 and of 30; who has nothing must be thought to have as much as protects the 30.
    assert plan.up.tolist() == [10, 3, 3]


def test_costs():
    # Of four firms: all, three, two (hidden a wave before), one, one told before and hidden.
    cells = ["xxxx", "xxx.", "xx..", "x...", "...x"]
    plan = plan_of([shown([1, 2, 3, 4], cells, told=[4], hidden=[2, 4])], NOTHING, 4)
    assert plan.cost == pytest.approx([100, 1 + 3 * 0.75, (1 + 3 * 0.5) / 2, 1 + 3 * 0.25, INF])
    # Without all, the largest group is what most readers need; what was hidden is half as dear.
    plan = plan_of([shown([1, 2, 3, 4], ["xx..", "xxx."], hidden=[1])], NOTHING, 4)
    assert plan.cost == pytest.approx([1 + 3 * 0.5, 50])


def test_a_holding_is_a_target_as_a_whole():
    plan = plan_of([shown([10, 20, 30], ["xxx"], holdings=[5, 8, 5])], NOTHING, 3)
    assert plan.targets.toarray().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]]
    assert plan.up == pytest.approx([1, 2, 3, 4])
    assert plan.owner.tolist() == [5, 8, 5]
    # Answers have no sum.
    answers = plan_of([shown([1, 0, 1], ["xxx"], holdings=[5, 8, 5], **SHARE)], NOTHING, 3)
    assert answers.targets.shape == (3, 3)


def test_a_holding_has_waived_where_all_its_firms_have():
    some = shown([10, 20, 30], ["xxx"], holdings=[5, 8, 5], waived=[1, 0, 0])
    assert plan_of([some], NOTHING, 3).up == pytest.approx([INF, 2, 3, 4])


def test_who_waived_and_what_is_public_anyway_is_no_target():
    waived = shown([10, 20, 30], ["xxx"], holdings=[5, 8, 5], waived=[1, 0, 1])
    assert plan_of([waived], NOTHING, 3).up == pytest.approx([INF, 2, INF, INF])
    public = shown([10, 20, 30], ["xxx"], sensitivity="low")
    plan = plan_of([public], NOTHING, 3)
    assert np.isinf(plan.up).all()
    assert np.isinf(plan.down).all()


def test_who_has_all_of_what_readers_know_must_be_thought_to_have_less():
    # b is 0 to 100 % of a, which everybody knows: of the 100 a part of 60, of the 40 all 40.
    whole, part = (
        shown([100, 40], ["xx"], numerator="a"),
        shown([60, 40], ["xx"], numerator="a * b / 100"),
    )
    plan = plan_of([whole, part], Known({"a": (0, INF), "b": (0, 100)}, {"a": 0.0}), 2)
    assert plan.told.most.tolist() == [100, 40, 100, 40]
    assert plan.up.tolist() == [INF, INF, pytest.approx(6), INF]
    assert plan.down.tolist() == [INF, INF, INF, pytest.approx(4)]


def test_an_amount_told_alone_must_be_thought_to_be_larger_and_to_be_smaller():
    # c is in a figure that tells of no other; a and b are told together in all.
    plan = plan_of([shown([10, 20, 30], ["xxx", "xx."])], NOTHING, 3)
    assert plan.targets.toarray().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert plan.up.tolist() == [1, 2, 3, INF]
    assert plan.down.tolist() == [INF, INF, INF, 3]


def test_no_firm_gives_two_answers_together_that_none_gave():
    # Up, equal or down, and yes or no: none of the firms says up or down, and yes.
    balance = {"kind": "balance", "numerator": "(x == 1) - (x == 2)", "scale": 100.0}
    up = shown([1, 0, -1, 0], ["xxxx"], **balance)
    yes = shown([0, 1, 0, 0], ["xxxx"], **SHARE)
    rows = [row for row, _, cell in rows_of(plan_of([up, yes], NOTHING, 4)) if cell == PUBLIC]
    public = {tuple(np.flatnonzero(row).tolist()): [] for row in rows}
    for row in rows:
        public[tuple(np.flatnonzero(row).tolist())].append([v for v in row if v])
    assert public == {(k, k + 4): [[1, 1], [-1, 1]] for k in range(4)}
    # Where some firm gives every pair, nothing is told.
    both = shown([1, 1, -1, -1], ["xxxx"], **balance), shown([0, 1, 0, 1], ["xxxx"], **SHARE)
    assert (plan_of(both, NOTHING, 4).cell != PUBLIC).all()


def test_a_ratio_to_nothing_tells_nothing():
    nothing = shown([0, 0], ["xx"], below=0.0, kind="ratio", denominator="y")
    assert plan_of([nothing], NOTHING, 2).told.rows.shape[0] == 0


def test_weights_that_leave_one_solution_give_answers_away():
    # Of 1, 2.5 and 4 only 1 + 4 are 5 of 7.5: 66.7 %, told as 67 %, 4.99 to 5.06. In steps of five
    # 65 %, 4.69 to 5.06, too. Of three equal weights any two may have said yes.
    alone, beside = [1, 0, 1], ["xxx"]
    for step in (1.0, 5.0):
        unequal = shown(alone, beside, weight=[1, 2.5, 4], **SHARE)._replace(unit=np.array([step]))
        assert answers_told(unequal).tolist() == [True]
    # Who said no knows that the two others said yes; of four with two each there is one more.
    assert answers_told(shown(alone, beside, **SHARE)).tolist() == [True]
    assert answers_told(shown([1, 0, 1, 0], ["xxxx"], **SHARE)).tolist() == [False]
    assert answers_told(shown([1, 0, 1], beside)).tolist() == [False]  # amounts
