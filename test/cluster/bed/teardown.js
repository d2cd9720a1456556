/** Takes the cluster of setup.js down; its logs and objects are then in test-results/cluster. */
export default async function teardown() {
  const host = globalThis.clusterHost;
  if (host === undefined || host.exitCode !== null) return;
  const gone = new Promise((resolve) => host.once('exit', resolve));
  host.stdin.end();
  await gone;
}
