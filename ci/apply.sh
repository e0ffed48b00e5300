#!/usr/bin/env bash
# Rolls what differs from the environment files, each held to the plan that was commented on the merged pull request.
set -euo pipefail
# shellcheck source=ci/files.sh
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"

pull_request=$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[0].number // empty')
if [ -z "$pull_request" ]; then
  echo "::error::commit $GITHUB_SHA belongs to no pull request, so that nobody has approved a plan of it"
  exit 2
fi
# Only the workflow's own comment counts: everybody may write one that looks like it.
plans=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$pull_request/comments" \
  --jq '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- proxyctl-plans -->"))) | .body')

plan_args=()
while IFS= read -r line; do
  if [[ "$line" =~ ^\<!--\ proxyctl-plan\ environment=([a-z0-9-]+)\ digest=([0-9a-f]{64})\ --\>$ ]]; then
    plan_args+=(--expected-plan "${BASH_REMATCH[1]}=${BASH_REMATCH[2]}")
  fi
done <<< "$plans"
if [ "${#plan_args[@]}" -eq 0 ]; then
  echo "::error::pull request $pull_request has no plan; run this action with command: plan on pull requests"
  exit 2
fi

file_args=()
while IFS= read -r file; do
  file_args+=(--file "$file")
done < <(environment_files)

code=0
proxyctl apply "${file_args[@]}" "${plan_args[@]}" --yes --wait --reason "$GITHUB_REPOSITORY#$pull_request" || code=$?
if [ "$code" -eq 5 ]; then
  echo "::notice::a deployment waits for an approval: proxyctl approve ID"
  exit 0
fi
exit "$code"
