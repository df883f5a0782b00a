"""What the product survives: a number, the promise, and the tests that cause the fault.

A test of this folder is found by its number (``test_07_…``); the ones that are named here stand where their
subject is tested. `table` makes docs/reliability.md of it, and fails where a named test does not exist.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One promise."""

    number: int
    area: str
    fault: str
    promise: str
    tests: tuple[str, ...] = ()
    """Node ids (file::function) beside those of this folder."""


_SUPERVISOR = "tests/unit/engine/test_supervisor.py::"
_HTTP = "tests/unit/models/test_http.py::"
_STORE = "tests/unit/models/test_store.py::"
_MODELS = "tests/unit/models/test_faults.py::"
_GGUF = "tests/unit/models/test_gguf.py::"
_KEYS = "tests/unit/credentials/test_credentials.py::"
_ACCESS = "tests/server/test_access.py::"
_SAFE = "tests/unit/magics/test_safe_text.py::"
_HOSTILE = (
    "tests/browser/test_hostile_answers.py::test_hostile_answers_act_in_no_way_and_ask_nobody",
    "tests/browser/test_commands.py::test_nothing_in_an_answer_acts",
    "tests/browser/test_commands.py::test_nothing_in_a_diff_acts",
    "tests/browser/test_chat.py::test_nothing_in_an_answer_acts",
)

ROWS = (
    Row(1, "Worker", "Killed in mid-stream",
        "that request ends with `BACKEND_UNAVAILABLE`, the next one works, the Jupyter server is the same"),
    Row(2, "Worker", "SIGABRT, SIGSEGV, and SIGBUS from a mapped model that is truncated",
        "the signal is named, and the worker starts again"),
    Row(3, "Worker", "Three crashes in five minutes",
        "back-off, then `failed` with the way back; the count is reset after a stable minute; nothing is "
        "replayed", (_SUPERVISOR + "test_crashes_long_ago_do_not_count",
                     _SUPERVISOR + "test_a_load_that_takes_long_is_no_time_of_stability")),
    Row(4, "Worker", "Stopped (SIGSTOP)",
        "the status answers and says so; no response until the deadline, then it is replaced"),
    Row(5, "Worker", "A hang, also one that holds the interpreter's lock",
        "ended at the deadline; who cancels waits 10 s at most",
        (_SUPERVISOR + "test_a_load_that_hangs_is_ended_at_its_deadline",)),
    Row(6, "Worker", "Jupyter killed with SIGKILL", "the worker is gone within 2 s"),
    Row(7, "Worker", "Shutdown during a load", "no child and no zombie within 5 s",
        (_SUPERVISOR + "test_unload_in_the_middle_of_a_load_leaves_no_child",)),
    Row(8, "Worker", "SIGTERM is ignored", "SIGKILL after the grace",
        (_SUPERVISOR + "test_a_deaf_worker_is_killed_after_the_grace",)),
    Row(9, "Worker", "A hundred concurrent loads", "one load",
        (_SUPERVISOR + "test_a_hundred_loads_at_once_are_one_load",)),
    Row(10, "Worker", "Another model is loaded while one answers", "the answer is completed first"),
    Row(11, "Worker", "A tab is closed", "its place is free within 0.5 s, and what it queued is skipped",
        ("tests/server/test_queue.py::"
         "test_what_a_closed_channel_has_asked_is_dropped_unless_it_is_to_be_kept",)),
    Row(12, "Worker", "Cancel while a prompt is read", "under 1 s, and the context can be used"),
    Row(13, "Worker", "Cancel of everything races with ends", "exactly one end each",
        ("tests/unit/queueing/test_machine.py::TestQueueMachine",)),
    Row(14, "Worker", "The queue is full", "503 with Retry-After, also while a model is loaded",
        ("tests/server/test_queue.py::test_a_full_queue_is_a_503_that_says_when",
         "tests/server/test_rest.py::test_too_many_requests_are_refused_with_retry_after")),
    Row(15, "Worker", "Idle unload races with a request", "never an error",
        (_SUPERVISOR + "test_idle_unload_racing_requests_is_never_an_error",
         "tests/unit/engine/test_supervisor_machine.py::TestSupervisorMachine")),
    Row(16, "Worker", "A websocket client stops reading", "bounded memory, then it is closed",
        ("tests/server/test_channel.py::test_a_client_that_does_not_read_is_given_up",)),
    Row(17, "Worker", "A garbage, truncated or oversized frame", "the worker is replaced",
        (_SUPERVISOR + "test_a_worker_whose_frames_cannot_be_read_is_replaced",
         "tests/unit/test_contract.py::test_no_bytes_at_all_break_the_reader")),
    Row(18, "Worker", "Native code floods stdout and stderr", "the protocol is intact, nothing blocks",
        (_SUPERVISOR + "test_native_prints_without_end_break_nothing",)),
    Row(19, "Memory", "Out of memory in the load, the KV cache or the computation",
        "recognised; the next smaller model serves the request, a notice offers the big one again"),
    Row(20, "Memory", "A context of a million tokens", "refused before the load"),
    Row(21, "Memory", "An unexplained SIGKILL",
        "“probably memory ran out”; the same setting is not tried again; what has shown nothing yet is "
        "answered by a smaller model"),
    Row(22, "Memory", "A container's limit below the machine's", "the container's limit counts",
        ("tests/unit/models/test_memory.py::test_the_limit_of_a_version_2_group_wins",
         "tests/unit/models/test_memory.py::"
         "test_the_limit_of_a_version_1_group_wins_also_when_only_its_top_is_mounted")),
    Row(23, "Memory", "No smaller model", "an error, and no loop"),
    Row(24, "Memory", "A minute of slow answers", "one suggestion of the lighter profile"),
    Row(25, "Model files", "Malformed headers", "refused within 100 ms by our reader, before llama.cpp",
        (_GGUF + "test_malformed_headers_are_refused", _GGUF + "test_a_mutated_header_is_read_or_refused",
         _GGUF + "test_every_truncation_is_refused",
         _GGUF + "test_random_bytes_after_the_magic_are_refused")),
    Row(26, "Model files", "`block_count` of 100000", "refused",
        (_GGUF + "test_an_impossible_number_of_layers_is_refused",)),
    Row(27, "Model files", "Truncated, or another digest", "set aside, never loaded",
        (_STORE + "test_a_truncated_file_is_never_loaded", _STORE + "test_a_changed_file_is_quarantined",
         _STORE + "test_verify_finds_what_the_time_hides")),
    Row(28, "Model files", "A chat template that injects, loops, or makes gigabytes",
        "refused, within a time and a size",
        ("tests/unit/worker/test_chat.py::test_a_hostile_or_broken_template_is_refused",
         "tests/unit/worker/test_chat.py::test_what_takes_too_much_is_ended_from_outside",
         "tests/unit/worker/test_chat.py::test_the_system_holds_what_renders_to_its_memory",
         "tests/engine/test_tiny_model.py::"
         "test_a_hostile_chat_template_is_refused_and_the_worker_goes_on")),
    Row(29, "Model files", "Control tokens in a person's text", "plain tokens",
        ("tests/engine/test_tiny_model.py::test_control_tokens_in_a_persons_text_are_text",
         "tests/unit/worker/test_prompting.py::test_marks_in_a_persons_text_are_text")),
    Row(30, "Model files", "Renamed or deleted while loaded", "it goes on"),
    Row(31, "Downloads", "The connection drops at 1, 50, 99 %; 200 instead of 206; another ETag",
        "it resumes, or starts again",
        (_HTTP + "test_a_dropped_connection_is_gone_on_from", _HTTP + "test_200_instead_of_206_starts_over",
         _HTTP + "test_a_changed_etag_starts_over")),
    Row(32, "Downloads", "The right size, one bit flipped", "never visible",
        (_HTTP + "test_one_flipped_bit_is_never_visible",)),
    Row(33, "Downloads", "A body without end", "stops at the declared size",
        (_HTTP + "test_an_endless_body_ends_at_the_declared_size",)),
    Row(34, "Downloads", "The disk is full", "a clear error, the catalogue unchanged, the part kept",
        (_MODELS + "test_a_disk_that_fills_up_keeps_the_part",
         _MODELS + "test_too_little_space_is_told_before_the_first_byte")),
    Row(35, "Downloads", "Killed at each of write, sync, rename, manifest", "verified, or absent",
        (_MODELS + "test_a_killed_download_leaves_a_verified_model_or_none",
         _MODELS + "test_killed_between_rename_and_manifest_nothing_is_fetched_again",
         "tests/unit/models/test_store_machine.py::TestStoreMachine")),
    Row(36, "Downloads", "Two processes fetch the same", "one file, intact",
        (_MODELS + "test_two_processes_that_fetch_the_same_model_make_one_file",)),
    Row(37, "Downloads", "`../x`, absolute paths, NUL, symbolic links", "refused",
        ("tests/unit/test_contract.py::test_a_model_id_is_never_a_path",
         _STORE + "test_ids_are_names_on_every_system",
         _STORE + "test_a_manifest_cannot_point_out_of_its_folder",
         _STORE + "test_a_bundle_cannot_point_out_of_itself",
         _STORE + "test_a_model_file_that_is_a_symbolic_link_is_not_used",
         _HTTP + "test_a_part_that_is_a_symbolic_link_is_not_followed")),
    Row(38, "Downloads", "A redirect to another host, or to `file://`", "no key goes along; refused",
        (_HTTP + "test_the_hub_token_does_not_go_to_another_host",
         _HTTP + "test_credentials_of_an_address_go_to_its_host_only_and_are_never_told",
         _HTTP + "test_a_redirect_to_anything_but_http_is_refused")),
    Row(39, "Air gap", "No network at all; and a trace of all system calls with the air gap on",
        "every local feature works; no connection leaves this machine",
        ("tests/server/test_rest.py::test_the_air_gap_refuses_a_download_before_any_byte",
         "tests/unit/providers/test_service.py::"
         "test_behind_the_air_gap_nothing_but_the_embedded_model_is_asked")),
    Row(40, "Air gap", "An image or a link in an answer", "no connection until it is clicked",
        (*_HOSTILE,
         "tests/unit/magics/test_coding.py::TestNotebook::test_an_image_in_an_answer_is_not_fetched",
         _SAFE + "TestInert::test_known_attacks")),
    Row(41, "Keys", "No keyring", "this session only, or an encrypted file of mode 0600; never in clear",
        (_KEYS + "test_without_a_keyring_an_encrypted_file_is",
         _KEYS + "test_without_both_a_key_lasts_as_long_as_the_process",
         _KEYS + "test_a_keyring_that_writes_into_a_plain_file_is_none")),
    Row(42, "Keys", "A key file that others can read; the wrong key", "refused; “enter it again”",
        (_KEYS + "test_a_key_file_that_others_can_read_is_refused",
         _KEYS + "test_the_wrong_key_asks_to_enter_it_again")),
    Row(43, "Keys", "A canary for a key", "in no log, file, answer or worker environment",
        ("tests/server/test_providers.py::test_a_key_gets_nowhere",
         "tests/unit/providers/test_service.py::test_no_file_holds_a_key",
         _ACCESS + "test_the_worker_has_no_keys_in_its_environment", _KEYS + "test_no_worker_gets_a_key")),
    Row(44, "Web", "No token, another origin or host, no XSRF, only `read` allowed", "refused",
        (_ACCESS + "test_without_a_token_every_route_is_refused",
         _ACCESS + "test_no_route_is_left_out_of_the_list",
         _ACCESS + "test_without_the_xsrf_token_a_signed_in_browser_can_change_nothing",
         _ACCESS + "test_a_foreign_origin_is_refused", _ACCESS + "test_who_may_only_read_can_only_read",
         _ACCESS + "test_the_channel_is_refused_without_a_token_and_from_another_origin")),
    Row(45, "Web", "`onerror=`, `javascript:`, command-linker attributes in an answer", "inert",
        (*_HOSTILE,
         _SAFE + "TestInert::test_known_attacks", _SAFE + "TestInert::test_no_mixture_acts")),
    Row(46, "Web", "Terminal escapes and carriage returns in an answer, or in what a worker prints",
        "stripped from text output, the terminal and the log",
        (_SAFE + "TestPlain::test_nothing_that_acts_is_left",
         "tests/unit/cli/test_generation.py::test_escapes_of_the_model_do_not_reach_the_terminal",
         "tests/unit/cli/test_generation.py::test_no_hostile_answer_acts_in_the_terminal")),
    Row(47, "Web", "Any body to any operation", "an error of the contract, never a 500, never a dead worker",
        ("tests/server/test_fuzz.py::test_over_rest", "tests/server/test_fuzz.py::test_over_the_channel",
         "tests/server/test_fuzz.py::test_no_message_breaks_the_channel")),
    Row(48, "History", "Killed between row and file", "both or neither after the next start",
        ("tests/unit/history/test_crashes.py::test_every_single_step",)),
    Row(49, "History", "Several servers, many writes", "no “locked”, nothing lost",
        ("tests/unit/history/test_database.py::test_many_threads_at_once",
         "tests/unit/history/test_database.py::"
         "test_who_holds_the_database_for_too_long_is_told_of")),
    Row(50, "History", "A damaged, read-only or full database", "generation continues, with a notification",
        ("tests/unit/service/test_recorder.py::"
         "test_a_disk_that_fails_is_told_once_until_it_goes_well_again",
         "tests/unit/history/test_database.py::"
         "test_a_damaged_database_is_set_aside_and_made_again_from_the_files",
         "tests/unit/history/test_store.py::"
         "test_an_answer_that_the_database_refuses_leaves_neither")),
)  # fmt: skip
