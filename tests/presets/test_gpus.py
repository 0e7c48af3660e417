from presets import gpus


def test_bfloat16_begins_with_ampere() -> None:
    names = ("Standard_NC6s_v3", "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4")
    assert gpus.without_bfloat16(names) == ("Standard_NC6s_v3", "Standard_NC4as_T4_v3")


def test_instance_types_stand_under_their_names() -> None:
    assert all(name == known.name for name, known in gpus.INSTANCE_TYPES.items())
    assert all(known.gpus > 0 for known in gpus.INSTANCE_TYPES.values())
