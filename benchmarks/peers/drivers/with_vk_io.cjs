// Do a job with vk-io. Job and report are as in measuring.py.
const { readFileSync, writeFileSync } = require('node:fs');
const { Agent } = require('node:http');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { VK, createCollectIterator } = require('vk-io');

const job = JSON.parse(process.argv[2]);
const numbers = Array.from({ length: job.calls }, (_, index) => index + 1);
const few = Array.from({ length: 10 }, (_, index) => job.calls + index + 1);

const done = [];
const wrong = [];
const failed = [];
const errors = {};
const waits = { many: [], few: [] };
const items = [];

const { api } = new VK({
    token: 'the-token',
    apiBaseUrl: job.url,
    apiLimit: job.limit,
    apiMode: job.packed ? 'parallel' : 'sequential',
    apiRequestMode: job.spaced ? 'sequential' : 'burst',
    agent: new Agent({ keepAlive: true }), // the default agent supports only HTTPS
});

async function call(number, token = {}) {
    try {
        let got;
        if (job.method === 'users.get') {
            const [user] = await api.users.get({ user_ids: number, ...token });
            got = user.id;
        } else {
            got = (await api.wall.post({ message: number, ...token })).post_id;
        }
        (got === number ? done : wrong).push(number);
    } catch (error) {
        failed.push(number);
        const { code } = error;
        const name = typeof code === 'number' ? `error ${code}` : code ?? error.name;
        errors[name] = (errors[name] ?? 0) + 1;
    }
}

async function timed(caller, number, token) {
    const began = performance.now();
    await call(number, token);
    waits[caller].push((performance.now() - began) / 1000);
}

const shapes = {
    all: () => Promise.all(numbers.map((number) => call(number))),
    idle: async () => {
        for (const number of numbers) {
            await sleep(100);
            await timed('few', number);
        }
    },
    share: async () => {
        const token = job.second_token ? { access_token: 'the-second-token' } : {};
        const many = numbers.map((number) => timed('many', number));
        await sleep(50);
        await Promise.all([...many, ...few.map((number) => timed('few', number, token))]);
    },
    list: async () => {
        const pages = createCollectIterator({
            api,
            method: 'groups.getMembers',
            params: { group_id: 7 },
            countPerRequest: 1000,
            parallelRequests: 25,
        });
        for await (const page of pages) {
            for (const item of page.items) items.push(item);
        }
    },
};

function status(field) {
    const text = readFileSync('/proc/self/status', 'ascii');
    return 1024 * Number(text.match(new RegExp(`^${field}:\\s+(\\d+)`, 'm'))[1]);
}

// As in measuring.py: compares the items that were read with those of the list.
function read() {
    if (job.shape !== 'list') return {};
    const found = new Set(items);
    const right = numbers.filter((number) => found.has(number)).length;
    return {
        done: right,
        wrong: found.size - right,
        missing: numbers.length - right,
        twice: items.length - found.size,
    };
}

async function main() {
    await api.users.get({ user_ids: 0 });
    await sleep(job.is_limited ? 1200 : 200);
    writeFileSync('/proc/self/clear_refs', '5'); // resets the peak of memory
    const memory = status('VmRSS');
    const used = process.cpuUsage();
    const began = performance.now();
    await shapes[job.shape]();
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(used);
    console.log(JSON.stringify({
        seconds,
        cpu: (user + system) / 1e6,
        memory: status('VmHWM') - memory,
        done: done.length,
        wrong: wrong.length,
        failed,
        errors,
        waits,
        ...read(),
    }));
    process.exit(0);
}

main();
