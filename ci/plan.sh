#!/usr/bin/env bash
# A plan of every environment file: into the job's summary and, on a pull request, into one comment that each run replaces.
set -euo pipefail
# shellcheck source=ci/files.sh
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"

body=$(mktemp)
status=0
echo '<!-- proxyctl-plans -->' > "$body"
while IFS= read -r file; do
  code=0
  proxyctl plan --file "$file" --wait --markdown >> "$body" || code=$?
  [ "$code" -le "$status" ] || status=$code
done < <(environment_files)

cat "$body" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
if [ -n "${PULL_REQUEST:-}" ]; then
  comment=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" \
    --jq '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- proxyctl-plans -->"))) | .id' | tail -n 1)
  if [ -n "$comment" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$comment" --field "body=@$body"
  else
    gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" --field "body=@$body"
  fi
fi
exit "$status"
