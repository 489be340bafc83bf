"Tells setuptools what settings.ini says, and that the wheel carries the small artefacts of data/."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ini = ConfigParser()
ini.read("settings.ini", encoding="utf-8")
cfg = ini["DEFAULT"]
artefacts = f"{cfg['lib_name']}._data"

setup(
    name=cfg["lib_name"], version=cfg["version"], description=cfg["description"], keywords=cfg["keywords"].split(),
    author=cfg["author"], url=cfg["git_url"], license="Apache-2.0",
    long_description=Path("README.md").read_text(encoding="utf-8"), long_description_content_type="text/markdown",
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(), extras_require={"dev": cfg["dev_requirements"].split()},
    entry_points={"console_scripts": cfg["console_scripts"].split("\n"), f"{cfg['lib_name']}.verbs": cfg["verbs"].split("\n"),
                  "nbdev": [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"]},
    packages=[*find_packages(include=[cfg["lib_path"], f"{cfg['lib_path']}.*"]), artefacts],
    package_dir={artefacts: "data"}, package_data={artefacts: ["bart-mini/*", "chars-mini/*", "grammars/*"]}, include_package_data=False, zip_safe=False,
)
