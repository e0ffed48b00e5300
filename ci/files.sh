# Sourced by plan.sh and apply.sh: the environment files in $FILES, a path a line.

environment_files() {
  if [ -d "$FILES" ]; then
    find "$FILES" -maxdepth 1 -type f ! -name '.*' \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) | sort
  else
    printf '%s\n' "$FILES"
  fi
}
