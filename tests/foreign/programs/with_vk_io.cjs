// Work with vk-io against the address given; prints what came of it as JSON.
const { Agent } = require('node:http');
const { VK, createCollectIterator } = require('vk-io');

const make = (options) => new VK({
    token: 'the-token-of-vk-io',
    apiBaseUrl: process.argv[2],
    apiLimit: 1000,
    agent: new Agent({ keepAlive: true }), // its own speaks nothing but HTTPS
    ...options,
});

const ids = (answers) => answers.map(([user]) => user.id);
const numbers = Array.from({ length: 30 }, (_, index) => index + 1);

async function main() {
    const plain = make({});
    const packed = make({ apiMode: 'parallel' });
    const selected = make({
        apiMode: 'parallel_selected',
        apiExecuteMethods: ['wall.post'],
    });

    const parallel = await Promise.all(
        numbers.map((number) => packed.api.users.get({ user_ids: number })),
    );
    const [refused, kept] = await Promise.all([
        packed.api.wall.delete({ post_id: 999 }).catch((error) => error.code),
        packed.api.users.get({ user_ids: 7 }),
    ]);
    await Promise.all(
        Array.from({ length: 130 }, (_, index) => (
            selected.api.wall.post({ message: `No. ${index} "Ёж"\n` })
        )),
    );

    const posts = new Set();
    const iterator = createCollectIterator({
        api: plain.api,
        method: 'wall.get',
        params: { owner_id: 1 },
        countPerRequest: 20,
        maxCount: Infinity,
    });
    let total = 0;
    for await (const chunk of iterator) {
        total = chunk.total;
        chunk.items.forEach((post) => posts.add(post.id));
    }

    const message = { peer_id: 5, message: 'hello', random_id: 77 };
    const sent = await plain.api.messages.send(message);
    const photo = await plain.upload.wallPhoto({
        source: { value: Buffer.from('not really a picture'), filename: 'a.jpg' },
    });

    console.log(JSON.stringify({
        plain: (await plain.api.users.get({ user_ids: [1, 2] })).map(({ id }) => id),
        parallel: ids(parallel),
        'refused in a batch': refused,
        'beside it': kept[0].id,
        collected: posts.size,
        total,
        text: (await plain.api.wall.get({ owner_id: 1, count: 1 })).items[0].text
            .endsWith('"Ёж"\n'),
        'sent once': sent === await plain.api.messages.send(message),
        'photo of': photo.ownerId,
    }));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
