"""The contract once more, with a server whose films are all made by another one: nobody can tell the difference.

What is about a server of its own, or about its files, is left out.
"""

from __future__ import annotations

from contract import test_callbacks as callbacks
from contract import test_generate as generate
from contract import test_policy as policy
from contract import test_record as record
from contract import test_upgrades as upgrades

pictures, source = generate.pictures, upgrades.source

TAKEN = (
    callbacks.test_exactly_one_callback,
    callbacks.test_retries_end,
    generate.test_a_prompt_is_enough,
    generate.test_a_seed_is_chosen,
    generate.test_a_watermark,
    generate.test_an_image_that_cannot_be_had,
    generate.test_auto_follows_the_first_image,
    generate.test_both_spellings_of_the_ratio,
    generate.test_durations,
    generate.test_frames,
    generate.test_image_urls_are_a_list,
    generate.test_models,
    generate.test_no_images_are_no_images,
    generate.test_ratios,
    generate.test_references,
    generate.test_seeds,
    generate.test_without_a_prompt,
    policy.test_a_prompt_against_the_rules,
    policy.test_an_ordinary_prompt_with_the_same_words_is_made,
    record.test_after_failure,
    record.test_after_success,
    record.test_an_unknown_task,
    record.test_just_after_creation,
    record.test_origin_and_full_urls,
    record.test_the_quickstart_program,
    upgrades.test_1080p,
    upgrades.test_1080p_of_a_film_that_is_as_large,
    upgrades.test_1080p_of_what_is_not_there,
    upgrades.test_4k,
    upgrades.test_an_extension,
    upgrades.test_orders_of_extensions,
)

globals().update({test.__name__: test for test in TAKEN})
