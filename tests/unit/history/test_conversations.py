"""Conversations are paths through a tree of turns."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from jupyter_localcoder import errors
from jupyter_localcoder.contract import history
from jupyter_localcoder.contract.notebook import Reference
from jupyter_localcoder.history import HistoryStore, names
from tests.support.responses import on_disk, response

CHAT = "c" * 16


@pytest.fixture
def say(kept):
    def say(text: str, after=None, conversation: str = CHAT, **fields):
        parent = after.id if after else ""
        return kept(
            prompt=text, kind="chat", prompt_id=conversation, conversation_id=conversation, parent_id=parent,
            **fields,
        )  # fmt: skip

    return say


def turns(store, id_: str = CHAT) -> list[str]:
    return [turn.prompt for turn in store.conversation(id_).turns]


def test_turns_are_told_in_order(store, say):
    one = say("one", title="Counting", title_source="generated", notebook="a.ipynb")
    two = say("two", one)
    say("three", two)
    info = store.conversation(CHAT).info
    assert turns(store) == ["one", "two", "three"]
    assert (info.title, info.turns, info.notebook) == ("Counting", 3, "a.ipynb")
    assert info.created_at == one.created_at < info.updated_at


def test_to_ask_again_puts_another_turn_beside_it(store, say):
    one = say("one")
    say("two", one)
    again = say("two, again", one)
    assert turns(store) == ["one", "two, again"]
    say("three", again)
    assert turns(store) == ["one", "two, again", "three"]


def test_a_branch_shares_its_beginning(store, say):
    one = say("one")
    two = say("two", one)
    say("three", two)
    branch = store.branch(CHAT, two.id)
    assert branch.branched_from == two.id
    assert turns(store, branch.id) == ["one", "two"]
    say("other", two, conversation=branch.id)
    assert turns(store, branch.id) == ["one", "two", "other"]
    assert turns(store) == ["one", "two", "three"]
    assert [each.id for each in store.conversations().conversations] == [branch.id, CHAT]
    assert store.delete_conversation(CHAT) == 1
    assert turns(store, branch.id) == ["one", "two", "other"]
    assert store.delete_conversation(branch.id) == 3
    assert on_disk(store.root) == set()


def test_the_other_answers_to_a_question_are_told(store, say):
    one = say("one")
    two, again = say("two", one), say("two, again", one)
    three = say("three", two)
    newest = store.conversation(CHAT)
    assert [turn.id for turn in newest.turns] == [one.id, two.id, three.id]
    assert newest.alternatives == {two.id: (two.id, again.id)}
    other = store.conversation(CHAT, again.id)
    assert [turn.id for turn in other.turns] == [one.id, again.id]
    assert store.conversation(CHAT, one.id).turns == newest.turns
    beginning = say("another beginning")
    assert store.conversation(CHAT).alternatives == {beginning.id: (one.id, beginning.id)}


def test_a_thread_ends_where_it_is_said_and_is_cut_at_its_beginning(store, say):
    one = say("one")
    two = say("two", one)
    three = say("three", two)
    thread = store.thread(CHAT, two.id)
    assert (thread.last, [turn.prompt for turn in thread.turns], thread.omitted) == (
        two.id,
        ["one", "two"],
        0,
    )
    assert store.thread(CHAT, most=0) == (three.id, (), 3)
    thread = store.thread(CHAT, most=2)
    assert (thread.last, [turn.prompt for turn in thread.turns], thread.omitted) == (
        three.id,
        ["two", "three"],
        1,
    )


def test_a_turn_of_another_conversation_is_none_of_this_one(store, say):
    say("one")
    stranger = say("two", conversation="d" * 16)
    for ask in (store.thread, store.conversation):
        with pytest.raises(errors.ResponseNotFound):
            ask(CHAT, stranger.id)
        with pytest.raises(errors.ConversationNotFound):
            ask("e" * 16, stranger.id)


def test_without_a_title_it_is_called_by_its_first_question(store, say):
    one = say("What is\na list?", title="tiny", title_source="model")
    say("And a tuple?", one)
    assert store.conversation(CHAT).info.title == "What is a list?"
    assert [each.title for each in store.conversations().conversations] == ["What is a list?"]
    store.set_title(one.id, "Lists", "generated")
    assert store.conversation(CHAT).info.title == "Lists"
    say("long " * 100, conversation="d" * 16)
    title = store.conversation("d" * 16).info.title
    assert (len(title), title[-1]) == (history.TITLE_CHARS, "…")


def test_a_title_by_hand_stays_with_its_conversation(store, say):
    one = say("one", title="Counting", title_source="generated")
    branch = store.branch(CHAT, one.id)
    assert store.rename_conversation(CHAT, "Mine").title == "Mine"
    say("one, again", title="Other")
    assert store.conversation(CHAT).info.title == "Mine"
    assert store.conversation(branch.id).info.title == "Counting"
    with pytest.raises(errors.ConversationNotFound):
        store.rename_conversation("e" * 16, "x")


def test_references_come_back_from_the_file(store, say):
    references = (
        Reference(kind="cell", name="In [3]", text="---\nx = 1\n\0", language="python"),
        Reference(kind="text", text="half \ud83d a pair"),
    )
    one = say("one", references=references)
    kept = store.conversation(CHAT).turns[0]
    assert kept == one
    assert kept.references[0] == references[0]
    assert kept.references[1].text == "half \ufffd a pair"


def test_a_branch_needs_a_turn_of_the_conversation(store, say, kept):
    say("one")
    stranger = kept()
    for id_, turn in ((CHAT, stranger.id), (CHAT, names.new_id())):
        with pytest.raises(errors.ResponseNotFound):
            store.branch(id_, turn)
    with pytest.raises(errors.ConversationNotFound):
        store.branch(names.new_id(), stranger.id)


def test_a_turn_that_is_deleted_leaves_the_others(store, say):
    one = say("one")
    two = say("two", one)
    three = say("three", two)
    store.delete(two.id)
    assert turns(store) == ["one", "three"]
    assert store.conversation(CHAT).info.turns == 2
    store.delete(one.id)
    assert turns(store) == ["three"]
    store.delete(three.id)
    with pytest.raises(errors.ConversationNotFound):
        store.conversation(CHAT)


def test_of_two_first_turns_the_other_one_counts_when_one_is_deleted(store, say):
    say("one")
    again = say("one, again")
    assert turns(store) == ["one, again"]
    store.delete(again.id)
    assert turns(store) == ["one"]


def test_delete_all_leaves_no_conversation(store, say):
    say("two", say("one"))
    store.delete_all()
    assert store.conversations().total == 0


def test_conversations_of_one_notebook(store, say):
    say("one", notebook="a.ipynb")
    say("two", conversation="d" * 16, notebook="b.ipynb")
    assert [each.id for each in store.conversations("b.ipynb").conversations] == ["d" * 16]
    assert store.conversations("b.ipynb").total == 1


def test_conversations_come_back_from_the_files_alone(store, say):
    one = say("one", title="Counting", title_source="hand")
    say("two", one)
    before = store.conversation(CHAT)
    store.close()
    for path in store.root.glob("history.sqlite3*"):
        path.unlink()
    assert store.sweep().adopted == 2
    assert store.conversation(CHAT) == before


def test_a_file_that_names_itself_as_its_parent_ends_nothing(store):
    id_ = names.new_id()
    store.keep(response(id=id_, parent_id=id_, conversation_id=CHAT))
    assert len(store.conversation(CHAT).turns) == 1
    store.delete(id_)


class Tree(RuleBasedStateMachine):
    """Random turns, branches and deletions against a plain model of them."""

    turns_made = Bundle("turns")
    chats = Bundle("chats")

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = HistoryStore(history_dir=self.folder.name)
        self.parents: dict[str, str] = {}
        self.heads: dict[str, str] = {}
        self.owner: dict[str, str] = {}
        self.order: list[str] = []

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def path(self, head: str) -> list[str]:
        found = []
        while head:
            found.append(head)
            head = self.parents[head]
        return found[::-1]

    def keep(self, chat: str, parent: str) -> str:
        turn = response(conversation_id=chat, parent_id=parent, prompt_id=chat, kind="chat")
        self.store.keep(turn)
        self.parents[turn.id], self.heads[chat], self.owner[turn.id] = parent, turn.id, chat
        self.order.append(turn.id)
        return turn.id

    @rule(target=chats)
    def begin(self) -> str:
        chat = names.new_id()
        self.keep(chat, "")
        return chat

    @rule(chat=chats)
    def go_on(self, chat: str) -> None:
        if chat in self.heads:
            self.keep(chat, self.heads[chat])

    @rule(chat=chats)
    def ask_again(self, chat: str) -> None:
        if chat in self.heads:
            self.keep(chat, self.parents[self.heads[chat]])

    @rule(target=chats, chat=chats, data=st.data())
    def branch(self, chat: str, data: st.DataObject) -> str:
        if chat not in self.heads:
            return chat
        turn = data.draw(st.sampled_from(self.path(self.heads[chat])))
        branched = self.store.branch(chat, turn).id
        self.heads[branched] = turn
        return branched

    @rule(data=st.data())
    def delete_a_turn(self, data: st.DataObject) -> None:
        if not self.order:
            return
        gone = data.draw(st.sampled_from(self.order))
        self.store.delete(gone)
        self.forget(gone)

    def forget(self, gone: str) -> None:
        parent = self.parents.pop(gone)
        self.order.remove(gone)
        self.owner.pop(gone)
        self.parents = {turn: parent if of == gone else of for turn, of in self.parents.items()}
        for chat, head in list(self.heads.items()):
            head = parent if head == gone else head
            if not head:
                head = next((t for t in reversed(self.order) if self.owner[t] == chat), "")
            if head:
                self.heads[chat] = head
            else:
                del self.heads[chat]

    @rule(chat=consumes(chats))
    def delete(self, chat: str) -> None:
        if chat not in self.heads:
            return
        mine = set(self.path(self.heads.pop(chat))) | {t for t, c in self.owner.items() if c == chat}
        needed = {turn for head in self.heads.values() for turn in self.path(head)}
        assert self.store.delete_conversation(chat) == len(mine - needed)
        for turn in list(self.order):
            if turn in mine - needed:
                parent = self.parents[turn]
                self.order.remove(turn)
                self.owner.pop(turn)
                self.parents = {
                    t: parent if of == turn else of for t, of in self.parents.items() if t != turn
                }

    @invariant()
    def paths_are_the_same(self) -> None:
        listed = self.store.conversations(limit=1000)
        assert {each.id: each.turns for each in listed.conversations} == {
            chat: len(self.path(head)) for chat, head in self.heads.items()
        }
        for chat, head in self.heads.items():
            assert [turn.id for turn in self.store.conversation(chat).turns] == self.path(head)
        assert self.store.page(limit=1000).total == len(self.order)


TestTree = Tree.TestCase
TestTree.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
