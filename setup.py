"Tells setuptools what settings.ini says, and that the wheel carries the small artefacts of data/."
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ini = ConfigParser()
ini.read("settings.ini", encoding="utf-8")
cfg = ini["DEFAULT"]
name = cfg["lib_name"]
artefacts = f"{name}._data"
readme = Path("README.md").read_text(encoding="utf-8")     # its links lead into the repository, wherever it is shown
readme = re.sub(r"(!\[[^]]*\]\()(?!\w+:|#)", rf"\1{cfg['git_url']}/raw/{cfg['branch']}/", readme)
readme = re.sub(r"(\]\()(?!\w+:|#)", rf"\1{cfg['git_url']}/blob/{cfg['branch']}/", readme)

setup(
    name=name, version=cfg["version"], description=cfg["description"], keywords=cfg["keywords"].split(),
    author=cfg["author"], author_email=cfg["author_email"], url=cfg["git_url"], license="Apache-2.0",
    long_description=readme, long_description_content_type="text/markdown",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX",  # runs lock files with fcntl and end process groups by signals
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(), 
    extras_require={extra: cfg[f"{extra}_requirements"].split() for extra in ("dev", "book")},
    entry_points={
        "console_scripts": cfg["console_scripts"].split("\n"), f"{name}.verbs": cfg["verbs"].split("\n"),
        "nbdev": [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"],
    },
    packages=[*find_packages(include=[cfg["lib_path"], f"{cfg['lib_path']}.*"]), artefacts], package_dir={artefacts: "data"},
    package_data={name: ["py.typed"], artefacts: [f"{folder}/*" for folder in (
        "bart-mini", "chars-mini", "denoiser-mini", "writer-mini", "arc-mini", "sentences-mini", "grammars")]},
    include_package_data=False, zip_safe=False,
)
