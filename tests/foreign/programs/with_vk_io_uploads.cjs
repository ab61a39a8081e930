// Uploads of all kinds that vk-io knows; prints what came of them as JSON.
// `marketPhoto` and `audio` are missing: VK's schema does not have their methods.
const { Agent } = require('node:http');
const { VK } = require('vk-io');

const { upload, api } = new VK({
    token: 'anna',
    apiBaseUrl: process.argv[2],
    apiLimit: 1000,
    agent: new Agent({ keepAlive: true }), // its own speaks nothing but HTTPS
});

const source = (filename = 'a.jpg') => ({
    value: Buffer.from(`not really ${filename}`),
    filename,
    contentType: 'application/octet-stream',
});

async function main() {
    const { id: albumId } = await api.photos.createAlbum({ title: 'Cats' });
    await api.messages.createChat({ user_ids: 2, title: 'Cats' });
    const album = await upload.photoAlbum({
        album_id: albumId,
        source: { values: [source('1.jpg'), source('2.jpg'), source('3.jpg')] },
    });
    const video = await upload.video({ source: source('a.mp4'), name: 'Film', group_id: 7 });
    const photo = await upload.messagePhoto({ source: source(), peer_id: 5 });
    const story = await upload.storiesPhoto({ source: source(), add_to_news: 1 });
    const filmed = await upload.storiesVideo({ source: source('a.mp4'), add_to_news: 1 });
    await api.messages.send({
        peer_id: 5, message: 'look', attachment: photo, random_id: 0,
    });

    console.log(JSON.stringify({
        album: album.map((each) => each.albumId === albumId),
        'message photo': photo.ownerId,
        'owner photo': (await upload.ownerPhoto({ source: source() })).saved,
        chat: (await upload.chatPhoto({ source: source(), chat_id: 1 })).chat.title,
        'market album': (await upload.marketAlbumPhoto({
            source: source(), group_id: 7,
        })).ownerId,
        video: video.ownerId,
        'video by link': (await upload.video({ link: 'https://youtu.be/1' })).ownerId,
        document: (await upload.document({ source: source('a.txt') })).extension,
        'wall document': (await upload.wallDocument({ source: source('a.txt') })).extension,
        'message document': (await upload.messageDocument({
            source: source('a.txt'), peer_id: 5, title: 'T',
        })).title,
        'audio message': (await upload.audioMessage({
            source: source('a.ogg'), peer_id: 5,
        })).ownerId,
        graffiti: (await upload.messageGraffiti({
            source: source('a.png'), peer_id: 5,
        })).ownerId,
        cover: (await upload.groupCover({ source: source(), group_id: 7 })).images.length,
        story: story.ownerId,
        'story video': filmed.ownerId,
        poll: (await upload.pollPhoto({ source: source() })).type,
    }));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
