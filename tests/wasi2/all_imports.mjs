// Usage: node all_imports.mjs TOOLS VERSION OUT
//
// Writes a component that imports every function of WASI 0.2 but wasi:http, of one version of its
// WIT files, as the component tools make it out of them. TOOLS is a node_modules folder with jco.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [tools, version, out] = process.argv.slice(2);
const jco = `${tools}/@bytecodealliance/jco`;
const { componentEmbed, componentNew } = await import(pathToFileURL(`${jco}/dist/api.js`));

// A file's package as one nested in another file.
function nested(name) {
    const text = readFileSync(`${jco}/lib/wit/builtin/0.2.12/wasi-${name}/package.wit`, 'utf8');
    const versioned = text.replaceAll('0.2.12', version);
    return versioned.replace(/^package ([^;]*);/m, 'package $1 {') + '\n}\n';
}

const own = `
package mayfly:test;

package wasi:logging {
    interface logging {
        enum level { trace, debug, info, warn, error, critical }
        log: func(level: level, context: string, message: string);
    }
}

package wasi:config@0.2.0-rc.1 {
    interface store {
        variant error { upstream(string), io(string) }
        get: func(key: string) -> result<option<string>, error>;
        get-all: func() -> result<list<tuple<string, string>>, error>;
    }
}

world all {
    include wasi:cli/imports@${version};
    import wasi:logging/logging;
    import wasi:config/store@0.2.0-rc.1;
}
`;

const packages = ['io', 'clocks', 'random', 'filesystem', 'sockets', 'cli'];
const witSource = own + packages.map(nested).join('\n');
const core = await componentEmbed({ witSource, dummy: true, world: 'all' });
writeFileSync(out, await componentNew(core, []));
