"""The environment variables that a child process gets: what it needs to run, and no key or token."""

from __future__ import annotations

import os
from collections.abc import Mapping

# What a process that is started here gets of the environment, by its exact name. No prefix lets a name
# through: `NVIDIA_API_KEY` begins like what a graphics driver reads. Keys of providers and the tokens of
# Jupyter, of a hub and of kernels are in none of the lists.
ANY = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP",
    "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME",
    "SYSTEMROOT", "WINDIR", "COMSPEC", "USERPROFILE", "LOCALAPPDATA", "APPDATA",
    "XDG_CACHE_HOME", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV", "CONDA_PREFIX",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
})  # fmt: skip
COMPUTES = frozenset({
    "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_MODULE_LOADING", "CUDA_CACHE_PATH", "CUDA_PATH",
    "CUDA_HOME", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HSA_OVERRIDE_GFX_VERSION",
    "ONEAPI_DEVICE_SELECTOR", "ZES_ENABLE_SYSMAN", "LLAMA_CPP_LIB_PATH",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_TF32_OVERRIDE",
    "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_ADD_DRIVER_FILES", "VK_LAYER_PATH", "VK_INSTANCE_LAYERS",
    "VK_LOADER_DRIVERS_SELECT",
    "OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_DYNAMIC", "OMP_PROC_BIND", "OMP_PLACES", "OMP_SCHEDULE",
    "OMP_STACKSIZE", "OMP_WAIT_POLICY", "OMP_MAX_ACTIVE_LEVELS", "OMP_NESTED", "OMP_DISPLAY_ENV",
    "GOMP_CPU_AFFINITY", "GOMP_SPINCOUNT", "GOMP_STACKSIZE",
    "KMP_AFFINITY", "KMP_BLOCKTIME", "KMP_DUPLICATE_LIB_OK", "KMP_HW_SUBSET", "KMP_SETTINGS",
    "GGML_BACKEND_PATH", "GGML_NO_BACKTRACE", "GGML_SCHED_DEBUG",
    "GGML_CUDA_DISABLE_FUSION", "GGML_CUDA_DISABLE_GRAPHS", "GGML_CUDA_ENABLE_UNIFIED_MEMORY",
    "GGML_CUDA_FORCE_CUBLAS", "GGML_CUDA_FORCE_MMQ", "GGML_CUDA_NO_PINNED", "GGML_CUDA_P2P",
    "GGML_METAL_DEVICES", "GGML_METAL_FUSION_DISABLE", "GGML_METAL_NDEBUG", "GGML_METAL_PATH_RESOURCES",
    "GGML_SYCL_DEBUG", "GGML_SYCL_DISABLE_GRAPH", "GGML_SYCL_DISABLE_OPT",
    "GGML_VK_DISABLE_COOPMAT", "GGML_VK_DISABLE_COOPMAT2", "GGML_VK_DISABLE_F16", "GGML_VK_DISABLE_FUSION",
    "GGML_VK_PREFER_HOST_MEMORY", "GGML_VK_VISIBLE_DEVICES",
})  # fmt: skip
"""What the GPU's driver, OpenMP and llama.cpp read."""
DOWNLOADS = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC", "PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS",
    "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_ISOLATED", "PIP_KEYRING_PROVIDER", "PIP_NO_INDEX", "PIP_PROXY",
    "PIP_RETRIES", "PIP_RESUME_RETRIES", "PIP_TIMEOUT", "PIP_TRUSTED_HOST", "PIP_USE_DEPRECATED",
    "PIP_USE_FEATURE",
})  # fmt: skip
"""What pip reads to find its index, and to get there."""


def environment_for_computing(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process in which llama.cpp runs: what it needs, and no key of anybody."""
    return _named(ANY | COMPUTES, source)


def environment_for_pip(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of pip; the password of an index may be in its address."""
    return _named(ANY | DOWNLOADS, source)


def _named(names: frozenset[str], source: Mapping[str, str] | None) -> dict[str, str]:
    given = os.environ if source is None else source
    return {name: value for name, value in given.items() if name.upper() in names}
