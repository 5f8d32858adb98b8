// WASI's own WIT files, from jco, as packages nested in one source: the component tools cannot read
// folders here.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const shipped = '0.2.12';

export function jcoFolder(tools) {
    return `${tools}/@bytecodealliance/jco`;
}

export function jcoApi(tools) {
    return import(pathToFileURL(`${jcoFolder(tools)}/dist/api.js`));
}

// Package wasi:NAME in `version`, one of 0.2's.
export function wasiPackage(tools, name, version) {
    const path = `${jcoFolder(tools)}/lib/wit/builtin/${shipped}/wasi-${name}/package.wit`;
    const text = readFileSync(path, 'utf8').replaceAll(shipped, version);
    return text.replace(/^package ([^;]*);/m, 'package $1 {') + '\n}\n';
}

// Those that are not WASI 0.2's.
export const draftPackages = `
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
`;
