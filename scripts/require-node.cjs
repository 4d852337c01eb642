// Stops with one clear line on a Node that cannot run the sources. Plain CommonJS so that any Node can read it.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    'jobpass: error: Node ' +
      process.versions.node +
      ' is too old, Node 24 or newer is needed   hint: npm ci brings it for npm scripts\n',
  );
  process.exit(2);
}
