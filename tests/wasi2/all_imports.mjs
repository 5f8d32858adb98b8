// Usage: node all_imports.mjs TOOLS VERSION OUT
//
// Writes a component that imports every function of WASI 0.2 but wasi:http, of one version of its
// WIT files, as the component tools make it out of them. TOOLS is a node_modules folder with jco.
import { writeFileSync } from 'node:fs';
import { draftPackages, jcoApi, wasiPackage } from './wit.mjs';

const [tools, version, out] = process.argv.slice(2);
const { componentEmbed, componentNew } = await jcoApi(tools);

const world = `
package mayfly:test;
world all {
    include wasi:cli/imports@${version};
    import wasi:logging/logging;
    import wasi:config/store@0.2.0-rc.1;
}
`;
const packages = ['io', 'clocks', 'random', 'filesystem', 'sockets', 'cli'];
const witSource =
    world + draftPackages + packages.map((name) => wasiPackage(tools, name, version)).join('\n');
const core = await componentEmbed({ witSource, dummy: true, world: 'all' });
writeFileSync(out, await componentNew(core, []));
