// The states of a deployment, and those that are its end.

export const FINAL = new Set(["SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED"]);
export const STATES = ["PENDING", "RUNNING", "WAITING_APPROVAL", ...FINAL];
