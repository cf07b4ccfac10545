"""Installs, upgrades and uninstalls the chart as Helm does, for tests. Values are YAML on standard input.

    scripts/manifests release install|upgrade|uninstall [--name N] [--namespace N] --kubeconfig FILE
"""

import argparse
import sys
from pathlib import Path

import helm_python as helm
import yaml

CHART = Path(__file__).resolve().parents[2] / "charts/sluice"


def main():
    parser = argparse.ArgumentParser(prog="scripts/manifests release")
    parser.add_argument("command", choices=["install", "upgrade", "uninstall"])
    parser.add_argument("--name", default="sluice")
    parser.add_argument("--namespace", default="sluice-system")
    parser.add_argument("--kubeconfig", required=True)
    arguments = parser.parse_args()
    with helm.Config(kubeconfig_path=arguments.kubeconfig, namespace=arguments.namespace) as config:
        if arguments.command == "uninstall":
            config.uninstall(arguments.name)
        else:
            # It waits for no pod: there may be no node.
            action = config.install if arguments.command == "install" else config.upgrade
            action(CHART, arguments.name, yaml.safe_load(sys.stdin) or {}, namespace=arguments.namespace)


if __name__ == "__main__":
    try:
        main()
    except helm.HelmError as error:
        sys.exit(f"release: {error}")
