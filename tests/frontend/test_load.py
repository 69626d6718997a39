import pytest

from tinyml.errors import InputError
from tinyml.frontend.load import load_model


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_a_file_that_git_lfs_has_not_fetched_is_refused_with_what_to_do(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")

    with pytest.raises(InputError, match=f"{name}' is a Git LFS pointer .* 'git lfs pull'"):
        load_model(path)
