"""The groups that are published, and the frame of each wave."""

from small_tables import NO_PAIRS, pairs, register, stack, weights

from pipeline.analyse.domains import groups_of, members_of, wave_frames


def two_waves():
    return stack(
        register("abc", "w1", sector="xxy", size="sll"),
        register("abd", "w2", sector="xzy", size="sls"),
    )


def names(groups):
    return ["=".join(row) for row in groups[["breakdown", "group"]].to_numpy()]


def test_groups_of_all_waves_stand_in_the_order_of_the_breakdowns():
    groups = groups_of(two_waves(), ["size", "sector"], NO_PAIRS)
    expected = ["all=all", "size=l", "size=s", "sector=x", "sector=y", "sector=z"]
    assert names(groups) == expected
    assert groups["target"].all()


def test_groups_do_not_depend_on_the_order_of_rows_and_leave_out_other_columns():
    shuffled = two_waves().sample(frac=1, random_state=3)
    groups = groups_of(shuffled, ["sector"], NO_PAIRS)
    assert names(groups) == ["all=all", "sector=x", "sector=y", "sector=z"]


SEVERAL = {"size": "slslsm", "sector": "xyxyxy", "population": "112233"}


def test_groups_are_those_of_the_target_and_those_that_a_pair_names():
    reg = register("abcdef", **SEVERAL)
    assert names(groups_of(reg, ["size"], NO_PAIRS)) == ["all=all", "size=l", "size=s"]
    declared = pairs(("population", "1", "3"), ("size", "s", "3*s"), ("size", "l", "rest"))
    groups = groups_of(reg, ["size", "sector"], declared)
    of_sector = ["sector=x", "sector=y"]
    reference = ["population=1", "population=3"]
    assert names(groups) == [
        *("all=all", "size=3*s", "size=l", "size=s"),
        *of_sector,
        *reference,
    ]
    of_target = [name not in ("size=3*s", "population=3") for name in names(groups)]
    assert groups["target"].tolist() == of_target


def test_a_breakdown_by_population_has_the_target_only_unless_a_pair_names_another():
    reg = register("abcdef", **SEVERAL)
    assert names(groups_of(reg, ["population"], NO_PAIRS)) == ["all=all", "population=1"]


def test_a_pair_names_no_group_that_nobody_is_in():
    groups = groups_of(two_waves(), [], pairs(("sector", "q", "x"), ("other", "x", "rest")))
    assert names(groups) == ["all=all", "sector=x"]


def test_members_are_those_of_the_firms_asked_for():
    # d is not in the register of w1 and b is not asked for: neither appears, nobody moves.
    reg = register("abc", sector="xxy")
    groups = groups_of(reg, ["sector"], NO_PAIRS)
    firms = wave_frames(weights("acd", "acd"), reg, groups)["w1"].firms
    assert list(firms) == ["a", "c", "d"]
    assert members_of(groups, firms, reg).tolist() == [
        [True, True, False],
        [True, False, False],
        [False, True, False],
    ]


def test_the_group_of_a_pair_for_the_whole_target_has_the_firms_of_all():
    reg = register("abcdef", **SEVERAL)
    groups = groups_of(reg, [], pairs(("population", "1", "3")))
    members = wave_frames(weights("abcdef", "abcdef"), reg, groups)["w1"].members
    everybody, target, other = members.tolist()
    assert everybody == target == [True, True, False, False, False, False]
    assert other == [False, False, False, False, True, True]


def test_a_wave_has_the_groups_of_other_waves_empty():
    reg = two_waves()
    groups = groups_of(reg, ["sector"], NO_PAIRS)
    frames = wave_frames(stack(weights("abd", "ab", "w2"), weights("abc", "ac", "w1")), reg, groups)
    assert list(frames) == ["w1", "w2"]
    assert frames["w1"].members.sum(axis=1).tolist() == [3, 2, 1, 0]
    assert frames["w2"].members.sum(axis=1).tolist() == [3, 1, 1, 1]


def frame_of(table, firms):
    return wave_frames(table, register(firms), groups_of(register(firms), [], NO_PAIRS))["w1"]


def test_the_design_is_sorted_by_firm_and_has_who_answered():
    frame = frame_of(weights("dcba", "dba", strata="uuvv"), "abcd")
    assert frame.answers.unit_ids.tolist() == ["a", "b", "d"]
    assert frame.answers.weights.tolist() == [1, 1, 2]  # u: 2 firms, 1 answered; v: 2 of 2
    assert frame.census.unit_ids.tolist() == ["a", "b", "c", "d"]
    assert frame.census.weights.tolist() == [1, 1, 1, 1]


def test_firms_that_were_not_asked_are_on_the_frame_and_those_out_of_scope_answer():
    # 6 firms: a b answered, c did not, d e not asked, f out of scope: 3 of 6 respond.
    frame = frame_of(weights("abcdef", "ab", not_asked="de", out_of_scope="f"), "abcdef")
    assert frame.answers.unit_ids.tolist() == ["a", "b", "f"]
    assert frame.answers.population.tolist() == [6]
    assert frame.answers.weights.tolist() == [2, 2, 2]
    assert frame.census.unit_ids.tolist() == ["a", "b", "c"]
    assert frame.eligible.tolist() == [True] * 5 + [False]
    assert frame.asked.tolist() == [True] * 3 + [False] * 3
