"""No alert is forgotten: each is of the story, or said not to be."""

from tests.e2e_prometheus.expectations import ALWAYS_ZERO, NOT_OF_THE_STORY, STORY_ALERTS
from tests.monitoring.queries import alert_rules, panel_queries


def test_every_alert_is_of_the_story_or_said_not_to_be() -> None:
    of_the_story = {each.alert for each in STORY_ALERTS if each.certain}
    assert of_the_story & NOT_OF_THE_STORY.keys() == set()
    assert of_the_story | NOT_OF_THE_STORY.keys() == {rule["alert"] for rule in alert_rules()}


def test_panels_that_show_zero_exist() -> None:
    assert ALWAYS_ZERO.keys() <= {where for where, _ in panel_queries()}
