"""inspect, over a scripted client."""

from __future__ import annotations


def test_the_prompt_is_the_answer_and_its_tokens_stand_beside_it(cli):
    ran = cli("inspect")
    assert ran.asked("context:inspect").run == ""
    assert (ran.code, ran.out) == (0, "<|im_start|>Hello\n")
    assert ran.err.split() == ["SOURCE", "TOKENS", "LEFT", "OUT", "this", "cell", "20", "3"]


def test_one_of_an_id_without_what_it_says(cli):
    ran = cli("inspect", "r7", "--redacted")
    assert ran.asked("context:inspect").run == "r7"
    assert ran.out == "<|im_start|>xxxxx\n"
    assert cli("inspect", "r7", "--json").json["run"] == "r7"
    assert cli("inspect", "r7", fail="NOT_FOUND").code == 3
