// Usage: node direct.mjs TOOLS IN OUT [ADAPTER]
//
// Makes a component of a core module that calls WASI 0.2 itself, in several versions at a time, and
// exports wasi:cli/run. ADAPTER "reactor" is for one that imports preview 1 as well.
import { readFileSync, writeFileSync } from 'node:fs';
import { draftPackages, jcoApi, jcoFolder, wasiPackage } from '../wit.mjs';

const [tools, input, out, adapter] = process.argv.slice(2);
const { componentEmbed, componentNew } = await jcoApi(tools);

const world = `
package mayfly:test;
world direct {
    include wasi:cli/imports@0.2.12;
    include wasi:clocks/imports@0.2.5;
    include wasi:random/imports@0.2.0;
    import wasi:logging/logging;
    import wasi:config/store@0.2.0-rc.1;
    export wasi:cli/run@0.2.12;
}
`;
const packages = [
    ...['io', 'clocks', 'random', 'filesystem', 'sockets', 'cli'].map((name) => [name, '0.2.12']),
    ['io', '0.2.5'], ['clocks', '0.2.5'], ['random', '0.2.0'],
];
const witSource = world + draftPackages +
    packages.map(([name, version]) => wasiPackage(tools, name, version)).join('\n');
const binary = readFileSync(input);
const core = await componentEmbed({ binary, witSource, world: 'direct' });
const adapters = adapter
    ? [['wasi_snapshot_preview1',
        readFileSync(`${jcoFolder(tools)}/lib/wasi_snapshot_preview1.${adapter}.wasm`)]]
    : [];
writeFileSync(out, await componentNew(core, adapters));
